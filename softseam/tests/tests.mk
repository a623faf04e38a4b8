# SPDX-License-Identifier: GPL-2.0-only
# Unit tests, thread test, coverage and fuzzing of the model.

FUZZ_SECONDS	?= 60
SANITIZE	:= -fsanitize=address,undefined -fno-sanitize-recover=all \
		   -fno-omit-frame-pointer
TEST_CFLAGS	= $(BASE_CFLAGS) -O1 -D_GNU_SOURCE -Itests
TEST_LIBS	:= -Wl,--wrap=calloc,--wrap=aligned_alloc,--wrap=mmap -lcmocka $(MODEL_LIBS)

# One program a file; test_threads*.c run under another sanitizer.
THREAD_SRC	:= $(wildcard tests/test_threads*.c)
THREAD_TESTS	:= $(THREAD_SRC:tests/%.c=%)
TEST_SRC	:= $(filter-out $(THREAD_SRC),$(wildcard tests/test_*.c))
TESTS		:= $(TEST_SRC:tests/%.c=%)

# What they share.
HELPERS		:= host state td_host feature_host td_twists guest_host property_call property_check \
		   property_step random_guest threads
test_objects	= $(MODEL_SRC:%.c=$(O)/$(1)/%.o) $(HELPERS:%=$(O)/$(1)/tests/%.o) $(O)/made/tests

ASAN_CC		= $(CC) $(TEST_CFLAGS) $(SANITIZE) $(CFLAGS)
TSAN_CC		= $(CC) $(TEST_CFLAGS) -fsanitize=thread $(CFLAGS)
COV_CC		= $(CLANG) $(TEST_CFLAGS) -fprofile-instr-generate -fcoverage-mapping $(CFLAGS)
MADE_asan	= $(ASAN_CC) $(CC_VERSION)
MADE_tsan	= $(TSAN_CC) $(CC_VERSION)
MADE_cov	= $(COV_CC) $(CLANG_VERSION)
MADE_tests	= $(MODEL_SRC) $(HELPERS) $(TEST_LIBS)

$(O)/asan/%.o: %.c $(O)/made/asan
	@mkdir -p $(@D)
	$(ASAN_CC) -c -o $@ $<

$(O)/tsan/%.o: %.c $(O)/made/tsan
	@mkdir -p $(@D)
	$(TSAN_CC) -c -o $@ $<

$(O)/cov/%.o: %.c $(O)/made/cov
	@mkdir -p $(@D)
	$(COV_CC) -c -o $@ $<

$(TESTS:%=$(O)/asan/%): $(O)/asan/%: $(O)/asan/tests/%.o $(call test_objects,asan)
	$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) $(TEST_LIBS)

$(THREAD_TESTS:%=$(O)/tsan/%): $(O)/tsan/%: $(O)/tsan/tests/%.o $(call test_objects,tsan)
	$(CC) -fsanitize=thread -o $@ $(filter %.o,$^) $(TEST_LIBS)

$(TESTS:%=$(O)/cov/%): $(O)/cov/%: $(O)/cov/tests/%.o $(call test_objects,cov)
	$(CLANG) -fprofile-instr-generate -o $@ $(filter %.o,$^) $(TEST_LIBS)

test: $(TESTS:%=$(O)/asan/%) $(THREAD_TESTS:%=$(O)/tsan/%) tests/error_rows.sh tests/incremental.sh
	tests/run.sh $(O)/results $^

COV_TESTS	:= $(TESTS:%=$(O)/cov/%)

coverage: $(COV_TESTS)
	tests/coverage.sh $(O)/coverage $^

# Fuzzers: one program a file, with clang's libFuzzer.
FUZZ_SRC	:= $(wildcard tests/fuzz_*.c)
FUZZERS		:= $(FUZZ_SRC:tests/%.c=%)
FUZZ_SANITIZE	:= -fsanitize=address,undefined -fno-sanitize-recover=all

FUZZ_CC		= $(CLANG) $(TEST_CFLAGS) -fsanitize=fuzzer-no-link $(FUZZ_SANITIZE) $(CFLAGS)
MADE_fuzz	= $(FUZZ_CC) $(CLANG_VERSION)
$(O)/fuzz/%.o: %.c $(O)/made/fuzz
	@mkdir -p $(@D)
	$(FUZZ_CC) -c -o $@ $<

$(FUZZERS:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/fuzz/tests/%.o $(O)/fuzz/tests/fuzzing.o \
	$(MODEL_SRC:%.c=$(O)/fuzz/%.o) $(O)/made/model
	$(CLANG) -fsanitize=fuzzer $(FUZZ_SANITIZE) -o $@ $(filter %.o,$^) $(MODEL_LIBS)

# Each fuzzer runs for FUZZ_SECONDS; FUZZ_SEED repeats a run.
fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) tests/fuzz.sh $(O)/fuzz $^

# Objects that only the tests need are kept, too.
.SECONDARY:
