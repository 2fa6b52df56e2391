/* System calls that fail, for tests: a library to preload. The environment says which:
 *   FAIL_BELOW    only calls on files below this folder are counted, and fail
 *   FAIL_CALL     write, sync, open or rename: see the functions at the end
 *   FAIL_AT       the n-th of them fails, from 1; 0: none does
 *   FAIL_LASTING  1: and so do all behind it
 *   FAIL_ERRNO    with this error; KILL: it does not return, as the process is killed
 *   FAIL_WHILE    where it is set: only while this file is there
 *   FAIL_COUNT    a file that holds how many there were, as 8 bytes, whenever it is read
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *below, *call, *while_there;
static long at, lasting, error, kills;
static atomic_long own_count, *count = &own_count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *text_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? "" : text;
}

__attribute__((constructor)) static void begin(void) {
  below = text_of("FAIL_BELOW");
  call = text_of("FAIL_CALL");
  while_there = text_of("FAIL_WHILE");
  at = atol(text_of("FAIL_AT"));
  lasting = atol(text_of("FAIL_LASTING"));
  kills = strcmp(text_of("FAIL_ERRNO"), "KILL") == 0;
  error = atol(text_of("FAIL_ERRNO"));
  const char *file = text_of("FAIL_COUNT");
  if (*file == '\0') return;
  const int fd = REAL(open)(file, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0 || REAL(ftruncate)(fd, sizeof(atomic_long)) != 0) abort();
  void *shared = mmap(NULL, sizeof(atomic_long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) abort();
  count = shared;
  close(fd);
}

static int is_below(const char *path) {
  const size_t size = below == NULL ? 0 : strlen(below);
  return size > 0 && path != NULL && strncmp(path, below, size) == 0;
}

/* Whether this call is one that fails; errno then says why. */
static int fails(const char *kind, const char *path) {
  if (!is_below(path) || strcmp(kind, call) != 0) return 0;
  if (*while_there != '\0' && access(while_there, F_OK) != 0) return 0;
  const long number = atomic_fetch_add(count, 1) + 1;
  if (at == 0 || number < at || (number > at && lasting == 0)) return 0;
  if (kills) raise(SIGKILL);
  errno = (int)error;
  return 1;
}

static int fails_on(const char *kind, int fd) {
  char link[64], path[PATH_MAX];
  const int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  errno = before;
  if (size < 0) return 0;
  path[size] = '\0';
  return fails(kind, path);
}

static mode_t mode_in(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                               \
  int name(const char *path, int flags, ...) {   \
    va_list rest;                                \
    va_start(rest, flags);                       \
    const mode_t mode = mode_in(flags, rest);    \
    va_end(rest);                                \
    if (fails("open", path)) return -1;          \
    return REAL(name)(path, flags, mode);        \
  }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                \
  FILE *name(const char *path, const char *mode) { \
    if (fails("open", path)) return NULL;          \
    return REAL(name)(path, mode);                 \
  }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int fd, const void *bytes, size_t size) {
  return fails_on("write", fd) ? -1 : REAL(write)(fd, bytes, size);
}
ssize_t writev(int fd, const struct iovec *parts, int parts_count) {
  return fails_on("write", fd) ? -1 : REAL(writev)(fd, parts, parts_count);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  return fails_on("write", fd) ? -1 : REAL(pwrite)(fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  return fails_on("write", fd) ? -1 : REAL(pwrite64)(fd, bytes, size, offset);
}
int ftruncate(int fd, off_t size) {
  return fails_on("write", fd) ? -1 : REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
  return fails_on("write", fd) ? -1 : REAL(ftruncate64)(fd, size);
}
int fallocate(int fd, int mode, off_t offset, off_t size) {
  return fails_on("write", fd) ? -1 : REAL(fallocate)(fd, mode, offset, size);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return fails_on("write", fd) ? -1 : REAL(fallocate64)(fd, mode, offset, size);
}

int fsync(int fd) { return fails_on("sync", fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails_on("sync", fd) ? -1 : REAL(fdatasync)(fd); }
/* Without flags it only asks whether there is such a call. */
int sync_file_range(int fd, off64_t offset, off64_t size, unsigned int flags) {
  return flags != 0 && fails_on("sync", fd) ? -1 : REAL(sync_file_range)(fd, offset, size, flags);
}

int rename(const char *from, const char *to) {
  return fails("rename", from) ? -1 : REAL(rename)(from, to);
}
int link(const char *from, const char *to) {
  return fails("rename", from) ? -1 : REAL(link)(from, to);
}
