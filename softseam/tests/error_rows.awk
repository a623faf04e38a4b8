# SPDX-License-Identifier: GPL-2.0-only
#
# Compares the tables in error_rows/ with what tests recorded: first come files of
# tables, *.txt, then records, *.errors.  Prints TAP.
#
# A table has lines "leaf NAME", and below each of them lines
#	STATUS	REASON...
# where a reason is the name of the test whose call fails with that status for
# that reason: one row of the interface's table each.  A status has an operand or
# detail behind "|".  A line in brackets stands for the rows that many leaves have:
#	[C]	all leaves; [CE] leaves that run before the module is ready
#	[P R]	any page in register R; [PF R] a page that is to be free; [PS R] and
#		[PX R] a page of a TD or vCPU that the leaf locks shared or exclusive
#	[T]	the TD's state; [G] GPA and level in RCX

BEGIN { FS = "\t" }

function rows(status, reasons,    i, n, reason, key)
{
	n = split(reasons, reason, " ")
	for (i = 1; i <= n; i++) {
		key = leaf "\tTDX_" status "\t" reason[i]
		if (key in want)
			complain("twice in the tables", key)
		want[key] = 1
		pairs[leaf "\t" status] = 1
		order[++nr] = key
	}
}

function any_page(reg, low)
{
	rows("OPERAND_INVALID|" reg, low "_misaligned " low "_keyid " low "_above_maxpa")
	rows("OPERAND_ADDR_RANGE_ERROR|" reg, low "_no_tdmr " low "_no_init")
	rows("OPERAND_BUSY|" reg, low "_exclusive " low "_region")
	rows("PAGE_METADATA_INCORRECT|" reg, low "_reserved")
}

function page(tag, reg,    low)
{
	low = tolower(reg)
	any_page(reg, low)
	if (tag == "PF")
		rows("PAGE_METADATA_INCORRECT|" reg, low "_used " low "_large")
	if (tag == "PS" || tag == "PX")
		rows("PAGE_METADATA_INCORRECT|" reg, low "_free")
	if (tag == "PF" || tag == "PX")
		rows("OPERAND_BUSY|" reg, low "_shared")
}

function common(early)
{
	rows("OPERAND_INVALID|RAX", "rax_reserved rax_version")
	rows("SYS_BUSY", "module_locked")
	rows("SYS_SHUTDOWN", "shut_down")
	if (!early)
		rows("SYS_NOT_READY", "not_ready")
}

function template(text,    word)
{
	gsub(/[][]/, "", text)
	split(text, word, " ")
	if (word[1] == "C" || word[1] == "CE") {
		common(word[1] == "CE")
	} else if (word[1] == "T") {
		rows("TD_FATAL", "td_fatal")
		rows("TD_KEYS_NOT_CONFIGURED", "td_no_keys")
		rows("TDCS_NOT_ALLOCATED", "td_few_pages")
	} else if (word[1] == "G") {
		rows("OPERAND_INVALID|RCX", "gpa_low_bits gpa_high_bits gpa_shared gpa_beyond gpa_level_7")
	} else {
		page(word[1], word[2])
	}
}

function complain(what, key)
{
	gsub(/\t/, " ", key)
	print "# " what ": " key
	bad = 1
}

function verdict(number, found, text)
{
	print (found == nr && nr && !bad ? "ok " : "not ok ") number " - " text
}

/^#/ || /^$/ { next }

FILENAME ~ /\.errors$/ {
	key = $2 "\t" $3 "\t" $4
	if ($1 == "seen")
		seen[key] = 1
	else
		same[key] = 1
	next
}

$1 == "leaf"	{ leaf = $2; next }
$2 ~ /^\[/	{ template($2); next }
$2 == "" || $3 == ""	{ complain("not understood", FILENAME ": " $0) }
		{ rows($2, $3) }

END {
	for (i = 1; i <= nr; i++) {
		key = order[i]
		if (key in seen)
			nr_seen++
		else
			complain("not provoked", key)
		if (key in same)
			nr_same++
		else if (key in seen)
			complain("state not compared", key)
	}
	for (key in pairs)
		nr_pairs++
	for (key in seen)
		nr_records++
	verdict(1, nr_seen, "each error row is provoked")
	verdict(2, nr_same, "no call that fails changes the state")
	printf "## %d error rows (%d of leaf and status), %d provoked, %d with the state compared; %d failing calls in all\n",
		nr, nr_pairs, nr_seen, nr_same, nr_records
	exit bad
}
