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

define test_objects
$(MODEL_SRC:%.c=$(O)/$(1)/%.o) $(O)/$(1)/tests/host.o $(O)/$(1)/tests/td_host.o $(O)/$(1)/tests/feature_host.o \
	$(O)/$(1)/tests/td_twists.o $(O)/$(1)/tests/guest_host.o $(O)/$(1)/tests/property_call.o \
	$(O)/$(1)/tests/property_check.o $(O)/$(1)/tests/property_step.o
endef

$(O)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) $(SANITIZE) $(CFLAGS) -c -o $@ $<

$(O)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) -fsanitize=thread $(CFLAGS) -c -o $@ $<

$(O)/cov/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(TEST_CFLAGS) -fprofile-instr-generate -fcoverage-mapping $(CFLAGS) -c -o $@ $<

$(TESTS:%=$(O)/asan/%): $(O)/asan/%: $(O)/asan/tests/%.o $(call test_objects,asan)
	$(CC) $(SANITIZE) -o $@ $^ $(TEST_LIBS)

$(THREAD_TESTS:%=$(O)/tsan/%): $(O)/tsan/%: $(O)/tsan/tests/%.o $(call test_objects,tsan)
	$(CC) -fsanitize=thread -o $@ $^ $(TEST_LIBS)

$(TESTS:%=$(O)/cov/%): $(O)/cov/%: $(O)/cov/tests/%.o $(call test_objects,cov)
	$(CLANG) -fprofile-instr-generate -o $@ $^ $(TEST_LIBS)

test: $(TESTS:%=$(O)/asan/%) $(THREAD_TESTS:%=$(O)/tsan/%)
	tests/run.sh $(O)/results $^

COV_TESTS	:= $(TESTS:%=$(O)/cov/%)

coverage: $(COV_TESTS)
	tests/coverage.sh $(O)/coverage $^

# Fuzzers: one program a file, with clang's libFuzzer.
FUZZ_SRC	:= $(wildcard tests/fuzz_*.c)
FUZZERS		:= $(FUZZ_SRC:tests/%.c=%)
FUZZ_SANITIZE	:= -fsanitize=address,undefined -fno-sanitize-recover=all

$(O)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(TEST_CFLAGS) -fsanitize=fuzzer-no-link $(FUZZ_SANITIZE) $(CFLAGS) -c -o $@ $<

$(FUZZERS:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/fuzz/tests/%.o $(MODEL_SRC:%.c=$(O)/fuzz/%.o)
	$(CLANG) -fsanitize=fuzzer $(FUZZ_SANITIZE) -o $@ $^ $(MODEL_LIBS)

# Each fuzzer runs for FUZZ_SECONDS; FUZZ_SEED repeats a run.
fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) tests/fuzz.sh $(O)/fuzz $^

# Objects that only the tests need are kept, too.
.SECONDARY:
