// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may use /dev/gospan, and whose the objects are: an object dies with the
 * last file descriptor of the open file that made it, however that comes about.
 */
#include "gospan_test.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define NR_OBJECTS	200

FIXTURE(owner) {
	int watch_fd;	/* holds nothing; to read statistics */
	__u64 live;
};

FIXTURE_SETUP(owner)
{
	self->watch_fd = device_open();
	ASSERT_LE(0, self->watch_fd);
	self->live = live_objects(self->watch_fd);
}

FIXTURE_TEARDOWN(owner)
{
	EXPECT_EQ(self->live, settle_objects(self->watch_fd, self->live));
	close(self->watch_fd);
}

/* NR_OBJECTS objects from 8 bytes to 200 KB; -errno or 0. */
static int populate(int fd)
{
	for (int i = 0; i < NR_OBJECTS; i++) {
		struct gospan_object o;
		int err = object_alloc(fd, 8 + 1000 * (__u64)i, 0, &o);

		if (err)
			return err;
	}
	return 0;
}

TEST_F(owner, close_frees)
{
	int fd = device_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, populate(fd));
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	close(fd);
	EXPECT_EQ(self->live, live_objects(self->watch_fd));
}

TEST_F(owner, close_frees_only_its_own)
{
	int fd = device_open(), other = device_open();

	ASSERT_LE(0, fd);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, populate(fd));
	ASSERT_EQ(0, populate(other));
	close(fd);
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	close(other);
	EXPECT_EQ(self->live, live_objects(self->watch_fd));
}

TEST_F(owner, dup_keeps)
{
	int fd = device_open(), copy;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, populate(fd));
	copy = dup(fd);
	ASSERT_LE(0, copy);
	close(fd);
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	close(copy);
	EXPECT_EQ(self->live, live_objects(self->watch_fd));
}

/* The child inherits the file: the parent's close is not the last. */
TEST_F(owner, fork_keeps)
{
	int fd = device_open(), go[2], status;
	char byte;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, populate(fd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct gospan_object o;

		close(go[1]);
		/* Until the parent lets go; the child may use the file, too. */
		_exit(read(go[0], &byte, 1) || object_alloc(fd, 8, 0, &o));
	}
	close(go[0]);
	close(fd);
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	close(go[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->live, settle_objects(self->watch_fd, self->live));
}

/* One descriptor in a message. */
struct passed {
	char byte;
	struct iovec part;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static struct msghdr *passed_init(struct passed *passed)
{
	passed->part = (struct iovec){ .iov_base = &passed->byte, .iov_len = 1 };
	passed->message = (struct msghdr){
		.msg_iov = &passed->part,
		.msg_iovlen = 1,
		.msg_control = passed->control,
		.msg_controllen = sizeof(passed->control),
	};
	return &passed->message;
}

static bool pass_fd(int socket, int fd)
{
	struct passed passed = { 0 };
	struct cmsghdr *header = CMSG_FIRSTHDR(passed_init(&passed));

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &passed.message, 0) == 1;
}

static int take_fd(int socket)
{
	struct passed passed = { 0 };
	int fd = -1;

	if (recvmsg(socket, passed_init(&passed), 0) == 1 && CMSG_FIRSTHDR(&passed.message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&passed.message)), sizeof(fd));
	return fd;
}

/* To another process; on the way there is no descriptor but the message. */
TEST_F(owner, passing_keeps)
{
	int fd = device_open(), sockets[2], status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, populate(fd));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)) {
		close(fd);
		SKIP(return, "no sockets");
	}
	ASSERT_TRUE(pass_fd(sockets[0], fd));
	close(fd);
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int taken = take_fd(sockets[1]);
		struct gospan_object o;

		_exit(object_alloc(taken, 8, 0, &o) ||
		      live_objects(self->watch_fd) != self->live + NR_OBJECTS + 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->live, settle_objects(self->watch_fd, self->live));
	close(sockets[0]);
	close(sockets[1]);
}

TEST_F(owner, exit_frees)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(!!populate(device_open()));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->live, settle_objects(self->watch_fd, self->live));
}

TEST_F(owner, kill_frees)
{
	int ready[2], status;
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		byte = !!populate(device_open());
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(self->live + NR_OBJECTS, live_objects(self->watch_fd));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(self->live, settle_objects(self->watch_fd, self->live));
}

TEST_F(owner, device_mode)
{
	struct stat st;

	ASSERT_EQ(0, stat(DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(10, major(st.st_rdev));
}

/* Runs in a child, as it cannot be undone. */
TEST_F(owner, unprivileged_user_cannot_open)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(device_open() >= 0 || errno != EACCES);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* In a user namespace of its own, with all capabilities there; @uid is root in it. -errno or 0. */
static int become_its_root(uid_t uid)
{
	char map[32];
	int fd, err = 0;

	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	/* A process that changed its user does not own its files in /proc. */
	prctl(PR_SET_DUMPABLE, 1);
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, strlen(map)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static bool has_user_namespaces(void)
{
	return !access("/proc/self/ns/user", F_OK);
}

TEST_F(owner, user_namespace_cannot_open)
{
	pid_t child;
	int status;

	if (!has_user_namespaces())
		SKIP(return, "no user namespaces");
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(2);
		/* Some systems keep namespaces from users; they still cannot open it. */
		if (become_its_root(65534) != -EPERM && getuid())
			_exit(3);
		_exit(device_open() >= 0 || errno != EACCES);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

static int drop_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

FIXTURE(no_capability) {
	int fd;
	struct gospan_object o;	/* made while still capable */
	__u64 live;
};

FIXTURE_VARIANT(no_capability) {
	bool in_namespace;	/* all capabilities, but those that count */
};

FIXTURE_VARIANT_ADD(no_capability, dropped) {
	.in_namespace = false,
};

FIXTURE_VARIANT_ADD(no_capability, in_user_namespace) {
	.in_namespace = true,
};

FIXTURE_SETUP(no_capability)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, object_alloc(self->fd, 64, 0, &self->o));
	self->live = live_objects(self->fd);
	if (variant->in_namespace && !has_user_namespaces())
		SKIP(return, "no user namespaces");
	ASSERT_EQ(0, variant->in_namespace ? become_its_root(0) : drop_sys_admin());
}

FIXTURE_TEARDOWN(no_capability)
{
	EXPECT_EQ(self->live, live_objects(self->fd));
	close(self->fd);
}

TEST_F(no_capability, may_look)
{
	struct gospan_class class = { .sizeclass = 1 };
	struct gospan_memstats stats;
	struct gospan_heapstats heap = { .node = GOSPAN_ALL_NODES };
	struct gospan_version version;

	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &version));
	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_HEAPSTATS, &heap));
	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_CLASS, &class));
	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_MEMSTATS, &stats));
}

TEST_F(no_capability, may_not_alloc)
{
	struct gospan_object o;

	EXPECT_EQ(-EPERM, object_alloc(self->fd, 64, 0, &o));
}

TEST_F(no_capability, may_not_realloc)
{
	EXPECT_EQ(-EPERM, object_realloc(self->fd, 128, 0, &self->o));
}

TEST_F(no_capability, may_not_trim)
{
	struct gospan_trim trim = { .released_bytes = 1 };

	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_TRIM, &trim));
	EXPECT_EQ(1, trim.released_bytes);
}

TEST_F(no_capability, may_not_bench)
{
	struct gospan_bench_cpu result;
	struct gospan_bench b = {
		.allocator = GOSPAN_ALLOCATOR_GOSPAN,
		.size = 64,
		.nr_objects = 10,
		.rounds = 1,
		.results = (uintptr_t)&result,
		.nr_results = 1,
	};

	ASSERT_EQ(1, pick_cpus(b.cpus, 1));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
}

TEST_F(no_capability, may_not_replay)
{
	struct gospan_replay_op op = { .size = 8, .kind = GOSPAN_OP_ALLOC };
	struct gospan_replay r = { .ops = (uintptr_t)&op, .nr_ops = 1, .nr_ids = 1 };

	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
}

/* Without the right to measure, an argument is not even looked at. */
TEST_F(no_capability, permission_before_argument)
{
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_ALLOC, NULL));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_BENCH, NULL));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, NULL));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, NULL));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, GOSPAN_IOC_TRIM, NULL));
}

#define NR_THREADS	8
#define NR_STEPS	1000
#define NR_RACES	200
#define TIMEOUT_SECONDS	180	/* an overloaded emulator with all checkers was seen to take 44 */

FIXTURE(threads) {
	int fd;
	__u64 live;
};

FIXTURE_SETUP(threads)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->live = live_objects(self->fd);
}

FIXTURE_TEARDOWN(threads)
{
	EXPECT_EQ(self->live, live_objects(self->fd));
	close(self->fd);
}

struct worker {
	pthread_t thread;
	int fd;
	int id;
	__u32 handle;		/* that all the racing ones share */
	unsigned int errors;	/* answers that nothing explains */
	unsigned int wins;
};

/* One object's life; each thread's objects are its own, the file is all threads'. */
static bool live_once(struct worker *w, unsigned int step)
{
	__u64 size = 1 + (step * 37 + w->id * 101) % 3000;
	unsigned char want[3000], got[3000];
	struct gospan_object o;
	bool ok;

	fill_pattern(want, step * NR_THREADS + w->id, size);
	if (object_alloc(w->fd, size, 0, &o))
		return false;
	ok = !object_write(w->fd, o.handle, 0, want, size) &&
	     !object_realloc(w->fd, 2 * size, 0, &o) &&
	     !object_read(w->fd, o.handle, 0, got, size) && !memcmp(want, got, size);
	return !object_free(w->fd, o.handle) && ok;
}

static void *live_many(void *arg)
{
	struct worker *w = arg;

	for (unsigned int step = 0; step < NR_STEPS; step++)
		w->errors += !live_once(w, step);
	return NULL;
}

TEST_F_TIMEOUT(threads, share_a_file, TIMEOUT_SECONDS)
{
	struct worker workers[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++) {
		workers[i] = (struct worker){ .fd = self->fd, .id = i };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, live_many, &workers[i]));
	}
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].errors);
	}
}

/* Odd threads use the object, even ones free it: one wins, nobody crashes. */
static void *race_once(void *arg)
{
	struct worker *w = arg;
	unsigned char byte = 0;
	int err;

	if (w->id % 2) {
		err = object_write(w->fd, w->handle, 0, &byte, 1);
		w->errors += err && err != -ENOENT;
		err = object_read(w->fd, w->handle, 0, &byte, 1);
		w->errors += err && err != -ENOENT;
	} else {
		err = object_free(w->fd, w->handle);
		w->wins += !err;
		w->errors += err && err != -ENOENT;
	}
	return NULL;
}

TEST_F_TIMEOUT(threads, race_for_a_handle, TIMEOUT_SECONDS)
{
	for (int round = 0; round < NR_RACES; round++) {
		struct worker workers[NR_THREADS];
		struct gospan_object o;
		unsigned int wins = 0;

		ASSERT_EQ(0, object_alloc(self->fd, 64, 0, &o));
		for (int i = 0; i < NR_THREADS; i++) {
			workers[i] = (struct worker){
				.fd = self->fd, .id = i, .handle = o.handle,
			};
			ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, race_once,
						    &workers[i]));
		}
		for (int i = 0; i < NR_THREADS; i++) {
			pthread_join(workers[i].thread, NULL);
			EXPECT_EQ(0, workers[i].errors);
			wins += workers[i].wins;
		}
		ASSERT_EQ(1, wins);
	}
}

GOSPAN_TEST_MAIN
