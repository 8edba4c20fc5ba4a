#include "base/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

/* A filter is of one architecture: the numbers of system calls differ. */
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

/* Every right that is known to an ABI of landlock(7), up to truncation (3,
 * Linux 6.2); the kernel refuses a mask with bits that it does not know. */
static const uint64_t rights_of_abi[] = {
    [1] = (UINT64_C(1) << 13) - 1,
    [2] = (UINT64_C(1) << 14) - 1,
    [3] = (UINT64_C(1) << 15) - 1,
};

#define ABI_MAX (sizeof(rights_of_abi) / sizeof(rights_of_abi[0]) - 1)

/* A set of rules without a rule: nothing is allowed. */
static bool
lock_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr nothing = {0};
	long rules;
	bool locked;

	if (abi < 1)
		return false;
	nothing.handled_access_fs =
	    rights_of_abi[(size_t)abi < ABI_MAX ? (size_t)abi : ABI_MAX];
	rules =
	    syscall(SYS_landlock_create_ruleset, &nothing, sizeof(nothing), 0);
	if (rules < 0)
		return false;
	locked = syscall(SYS_landlock_restrict_self, (int)rules, 0) == 0;
	(void)close((int)rules);
	return locked;
}

#ifdef ARCHITECTURE

/* Of an argument the low half: the machines above are little-endian. */
#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA))

/* `name` passes; any other goes on to the next line but one. */
#define PASS(name)                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1),                \
	    ANSWER(SECCOMP_RET_ALLOW)

/* What memory and streams need, and nothing with a name in it. What is refused
 * fails: the C library does without it where it can. */
static bool
lock_calls(void)
{
	static struct sock_filter filter[] = {
	    LOAD(arch),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	    ANSWER(SECCOMP_RET_KILL_PROCESS),
	    LOAD(nr),
	    PASS(read),
	    PASS(write),
#ifdef __NR_poll
	    PASS(poll),
#endif
	    PASS(ppoll),
	    PASS(close),
	    PASS(brk),
	    PASS(munmap),
	    PASS(mremap),
	    PASS(madvise),
	    PASS(futex),
	    PASS(getrandom),
	    PASS(clock_gettime),
	    PASS(rt_sigreturn),
	    PASS(restart_syscall),
	    /* What a sanitizer asks for. */
	    PASS(sigaltstack),
	    PASS(gettid),
	    PASS(exit),
	    PASS(exit_group),
	    /* Memory of no file. */
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 0, 4),
	    LOAD(args[3]),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0),
	    REFUSE,
	    BPF_JUMP(BPF_JMP | BPF_JA, 2, 0, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 1, 0),
	    REFUSE,
	    /* And none that could be run. */
	    LOAD(args[2]),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	    REFUSE,
	    ANSWER(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
	    .len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#else

static bool
lock_calls(void)
{
	return false;
}

#endif

/* close_range(2) is in Linux since 5.9. */
static void
close_between(int first, int last)
{
	if (first > last ||
	    syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) == 0)
		return;
	for (int fd = first; fd <= last && fd < (int)sysconf(_SC_OPEN_MAX);
	     fd++)
		(void)close(fd);
}

struct sandbox
sandbox_enter(int keep, int keep_too)
{
	const struct rlimit none = {0, 0};
	int low = keep < keep_too ? keep : keep_too;
	int high = keep < keep_too ? keep_too : keep;
	struct sandbox held = {0};

	close_between(0, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, INT32_MAX);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return held;
	held.landlock = lock_files();
	held.seccomp = lock_calls();
	return held;
}
