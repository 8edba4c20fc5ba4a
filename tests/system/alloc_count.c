/* alloc_count.c - preloaded into a program with AddressSanitizer: counts what
 * it allocates
 *
 * At its end the program writes "COUNT PEAK_BYTES\n" into the file that
 * ANKLUME_ALLOC_COUNT names. What it starts is neither counted nor disturbed:
 * LD_PRELOAD is gone when its main() begins, and a fork keeps silent. */

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* sanitizer/allocator_interface.h, which not every compiler brings. Weak: where
 * there is no sanitizer nothing is written, and the tests say so. */
int __sanitizer_install_malloc_and_free_hooks(
    void (*malloc_hook)(const volatile void *, size_t),
    void (*free_hook)(const volatile void *)) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *ptr)
    __attribute__((weak));

static atomic_llong allocations;
static atomic_llong held_bytes;
static atomic_llong peak_bytes;
static pid_t counted;

static void
on_malloc(const volatile void *ptr, size_t size)
{
	long long held =
	    atomic_fetch_add(&held_bytes, (long long)size) + (long long)size;
	long long peak = atomic_load(&peak_bytes);

	(void)ptr;
	atomic_fetch_add(&allocations, 1);
	while (held > peak &&
	       !atomic_compare_exchange_weak(&peak_bytes, &peak, held))
		;
}

static void
on_free(const volatile void *ptr)
{
	if (ptr != NULL)
		atomic_fetch_sub(&held_bytes,
		    (long long)__sanitizer_get_allocated_size(ptr));
}

__attribute__((constructor)) static void
begin(void)
{
	(void)unsetenv("LD_PRELOAD");
	if (__sanitizer_install_malloc_and_free_hooks == NULL ||
	    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) == 0)
		return;
	counted = getpid();
}

__attribute__((destructor)) static void
end(void)
{
	const char *path = getenv("ANKLUME_ALLOC_COUNT");
	char line[64];
	int size, fd;

	if (path == NULL || counted == 0 || counted != getpid())
		return;
	size = snprintf(line, sizeof(line), "%lld %lld\n",
	    atomic_load(&allocations), atomic_load(&peak_bytes));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)size) != size)
		_exit(99);
	(void)close(fd);
}
