// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls of /dev/gospan drawn at random, by threads of several processes at once.
 *
 * A crew is a process: two callers whose every call is judged; one whose arguments
 * a fourth thread changes meanwhile; and its first thread, which sends signals to
 * whom a call takes long. Callers use a file that the crew shares and that is
 * opened anew under them, files of their own, one that all crews inherit, and
 * one taken from another crew; now and then they fork, and let the child call. The
 * program kills a crew at any moment, and puts another in its place. In the end
 * nothing may be left.
 *
 * The calls of a caller depend on the seed, its crew and its number alone; which of
 * them meet is up to the machine.
 */
#include "gospan_device.h"
#include "ioctl_draw.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define NR_CREWS	2
#define NR_CALLERS	3		/* of a crew; the last is raced */
#define RACED		(NR_CALLERS - 1)
#define LOOK_US		100000		/* a call that takes as long may get a signal */
#define LIFE_CALLS	16384		/* of all, from one end of a crew to the next, at most */
#define LIFE_LOOK_US	5000
#define BURST		1000		/* words changed before a rest, at most */
#define REST_US		1000
#define OWN_CALLS	256		/* with a file; then another is opened */
#define SHARED_CALLS	1024
#define FORK_CALLS	1024
#define CHILD_CALLS	64
#define ENOUGH_CALLS	200		/* of a command, to expect that one was answered */

_Static_assert(NR_CREWS * NR_CALLERS <= NR_DATA, "each caller writes another byte");

/* Of all processes. */
struct shared {
	_Atomic bool stop;
	_Atomic unsigned long nr_wrong, calls, interrupted, no_memory;
	_Atomic unsigned long nr_lives, nr_stolen, nr_forks;
	_Atomic unsigned long called[NR_COMMANDS], answered[NR_COMMANDS];
	/* A file of each crew, for others to take. */
	_Atomic pid_t pids[NR_CREWS];
	_Atomic int fds[NR_CREWS];
};

struct member {
	struct caller c;
	pthread_t thread;
	unsigned int idx;
	int own_fd, stolen_fd;
	_Atomic unsigned long calls;
	_Atomic bool has_ended;
};

static struct shared *shared;
static __u64 seed, cpus;
static unsigned long max_calls = 1000000, max_seconds = 3600;

/* Of this crew. */
static unsigned int crew, life;
static int common_fd, shared_fd, raced_fd;
static struct member members[NR_CALLERS];

static bool stopped(void)
{
	return atomic_load(&shared->stop);
}

static void fail(const char *what)
{
	atomic_fetch_add(&shared->nr_wrong, 1);
	atomic_store(&shared->stop, true);
	printf("wrong: %s\n", what);
	fflush(stdout);
}

static void report(const struct member *m, const char *wrong, int error)
{
	const struct caller *c = &m->c;
	char line[512];

	snprintf(line, sizeof(line),
		 "crew %u life %u caller %u call %lu: %s %#lx returned %d (%s), argument at %#llx: %s",
		 crew, life, m->idx, atomic_load(&m->calls), c->command->name, c->request, -error,
		 strerror(error), c->place.address, wrong);
	fail(line);
}

static bool is_gospan(int fd)
{
	struct stat st, device;

	return !fstat(fd, &st) && !stat(DEVICE, &device) && st.st_rdev == device.st_rdev &&
	       S_ISCHR(st.st_mode);
}

/* Another crew may end at any moment: its number is then nobody's, or not of a file of ours. */
static void steal(struct member *m)
{
	unsigned int from = (crew + 1) % NR_CREWS;
	int pidfd = syscall(SYS_pidfd_open, atomic_load(&shared->pids[from]), 0), fd;

	if (pidfd < 0)
		return;
	fd = syscall(SYS_pidfd_getfd, pidfd, atomic_load(&shared->fds[from]), 0);
	close(pidfd);
	if (fd < 0)
		return;
	if (!is_gospan(fd)) {
		close(fd);
		return;
	}
	if (m->stolen_fd >= 0)
		close(m->stolen_fd);
	m->stolen_fd = fd;
	atomic_fetch_add(&shared->nr_stolen, 1);
}

/* The same number stands for another file, while others may be in a call on the old one. */
static void renew(int fd)
{
	int new = device_open();

	if (new < 0 || dup3(new, fd, O_CLOEXEC) < 0)
		fail("the device cannot be opened");
	close(new);
}

static int choose_fd(struct member *m)
{
	unsigned int which = draw(&m->c.random, 8);

	if (m->idx == RACED)
		return raced_fd;
	if (which < 4)
		return shared_fd;
	if (which < 6)
		return m->own_fd;
	return which == 6 || m->stolen_fd < 0 ? common_fd : m->stolen_fd;
}

static void call_once(struct member *m)
{
	unsigned int command;
	const char *wrong;
	int fd, error;

	caller_draw(&m->c);
	fd = choose_fd(m);
	m->c.is_alone = fd == m->own_fd;
	error = -do_ioctl(fd, m->c.request, (void *)(uintptr_t)m->c.place.address);
	wrong = caller_judge(&m->c, error);
	if (wrong)
		report(m, wrong, error);
	atomic_fetch_add(&m->calls, 1);
	atomic_fetch_add(&shared->calls, 1);
	command = m->c.command - commands;
	if (!m->c.is_known)
		return;
	atomic_fetch_add(&shared->called[command], 1);
	if (!error)
		atomic_fetch_add(&shared->answered[command], 1);
	if (error == EINTR)
		atomic_fetch_add(&shared->interrupted, 1);
	if (error == ENOMEM)
		atomic_fetch_add(&shared->no_memory, 1);
}

/* The child has its parent's memory for arguments: who forks waits. */
static void fork_once(struct member *m)
{
	pid_t child = fork();
	unsigned int i;

	if (!child) {
		m->c.random.state = ~m->c.random.state;
		for (i = 0; i < CHILD_CALLS && !stopped(); i++)
			call_once(m);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	atomic_fetch_add(&shared->nr_forks, 1);
}

static void change_files(struct member *m)
{
	unsigned long calls = atomic_load(&m->calls);

	if (calls % OWN_CALLS == 0)
		renew(m->idx == RACED ? raced_fd : m->own_fd);
	if (calls % OWN_CALLS == OWN_CALLS / 2)
		steal(m);
	if (calls % SHARED_CALLS == 0)
		renew(shared_fd);
	if (calls % FORK_CALLS == FORK_CALLS / 2 && m->idx != RACED)
		fork_once(m);
}

static void *call_on(void *arg)
{
	struct member *m = arg;

	while (!stopped()) {
		call_once(m);
		change_files(m);
	}
	atomic_store(&m->has_ended, true);
	return NULL;
}

static void *disturb_on(void *arg)
{
	struct caller *c = arg;
	struct random random = { .state = c->random.state + 1 };

	unsigned int i;

	while (!stopped()) {
		for (i = draw(&random, BURST); i; i--)
			caller_disturb(c, &random);
		usleep(REST_US);
	}
	return NULL;
}

/* Until all have ended; a signal ends a bench or a replay. */
static void hurry_all(void)
{
	unsigned long seen[NR_CALLERS] = { 0 };
	unsigned int i, nr_ended = 0;

	while (nr_ended < NR_CALLERS) {
		usleep(LOOK_US / 2);
		for (i = nr_ended = 0; i < NR_CALLERS; i++) {
			unsigned long calls = atomic_load(&members[i].calls);

			if (atomic_load(&members[i].has_ended))
				nr_ended++;
			else if (calls == seen[i])
				pthread_kill(members[i].thread, SIGUSR1);
			seen[i] = calls;
		}
	}
}

static void no_action(int sig)
{
}

static bool member_init(unsigned int idx)
{
	struct member *m = &members[idx];

	m->idx = idx;
	m->own_fd = device_open();
	m->stolen_fd = -1;
	m->c.is_raced = idx == RACED;
	return m->own_fd >= 0 &&
	       caller_init(&m->c, seed ^ ((__u64)(life * NR_CREWS + crew) * NR_CALLERS + idx + 1) << 32,
			   cpus, DATA + crew * NR_CALLERS + idx);
}

/* The whole of a crew's process. */
static int crew_main(void)
{
	struct sigaction act = { .sa_handler = no_action };	/* without SA_RESTART */
	pthread_t disturber;
	unsigned int i;

	sigaction(SIGUSR1, &act, NULL);
	shared_fd = device_open();
	raced_fd = device_open();
	atomic_store(&shared->fds[crew], shared_fd);
	atomic_store(&shared->pids[crew], getpid());
	for (i = 0; i < NR_CALLERS; i++)
		if (shared_fd < 0 || raced_fd < 0 || !member_init(i))
			return 1;
	for (i = 0; i < NR_CALLERS; i++)
		if (pthread_create(&members[i].thread, NULL, call_on, &members[i]))
			return 1;
	if (pthread_create(&disturber, NULL, disturb_on, &members[RACED].c))
		return 1;
	hurry_all();
	return 0;
}

/* --- the program ------------------------------------------------------------ */

static pid_t start_crew(unsigned int idx, unsigned int nth)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("cannot fork");
	if (pid)
		return pid;
	crew = idx;
	life = nth;
	_exit(crew_main());
}

/* Killed in the middle of what it does, or told to end: of anything else it may not die. */
static void end_crew(pid_t pid, bool is_killed)
{
	int status;

	if (is_killed)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || (is_killed ? !WIFSIGNALED(status) : status != 0))
		fail("a crew did not end as it should");
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fail("a crew died of a signal");
}

/* Until so many calls more were made, or enough, or @end has come. */
static void let_live(unsigned long calls, time_t end)
{
	calls += atomic_load(&shared->calls);
	while (!stopped() && atomic_load(&shared->calls) < calls) {
		usleep(LIFE_LOOK_US);
		if (atomic_load(&shared->calls) >= max_calls || time(NULL) >= end)
			atomic_store(&shared->stop, true);
	}
}

static void run_crews(struct random *random)
{
	time_t end = time(NULL) + max_seconds;
	pid_t pids[NR_CREWS];
	unsigned int i, nth = 0;

	for (i = 0; i < NR_CREWS; i++)
		pids[i] = start_crew(i, 0);
	while (!stopped()) {
		let_live(draw(random, LIFE_CALLS), end);
		if (stopped())
			break;
		i = draw(random, NR_CREWS);
		end_crew(pids[i], true);
		pids[i] = start_crew(i, ++nth);
	}
	for (i = 0; i < NR_CREWS; i++)
		end_crew(pids[i], false);
	/* Children of crews that were killed. */
	while (wait(NULL) > 0)
		;
	atomic_store(&shared->nr_lives, nth + NR_CREWS);
}

static void print_calls(void)
{
	unsigned int i;

	printf("%-12s %12s %12s\n", "command", "calls", "answered");
	for (i = 0; i < NR_COMMANDS; i++) {
		printf("%-12s %12lu %12lu\n", commands[i].name, shared->called[i],
		       shared->answered[i]);
		/* There need not be a named cache. */
		if (shared->called[i] >= ENOUGH_CALLS && !shared->answered[i] && i != COMMAND_CACHE)
			fail("a command that never succeeded");
	}
	printf("seed=%llu: %lu calls, %lu without memory, %lu interrupted, %lu crews, "
	       "%lu files taken, %lu forks, %lu wrong\n",
	       seed, shared->calls, shared->no_memory, shared->interrupted, shared->nr_lives,
	       shared->nr_stolen, shared->nr_forks, shared->nr_wrong);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		__u64 value = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (option) {
		case 'c': max_calls = value; break;
		case 't': max_seconds = value; break;
		case 's': seed = value; break;
		default:
			fprintf(stderr, "usage: ioctl_fuzz [--calls N] [--seconds N] [--seed N]\n");
			exit(2);
		}
	}
	if (!seed && getrandom(&seed, 4, 0) != 4)
		exit(2);
}

static bool set_up(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < 64; cpu++)
		cpus |= (__u64)cpu_is_online(cpu) << cpu;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	common_fd = device_open();
	return shared != MAP_FAILED && common_fd >= 0 && abi_is_complete() &&
	       !prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int main(int argc, char **argv)
{
	struct random random;
	int watch_fd;
	__u64 live;

	parse(argc, argv);
	printf("seed=%llu:\n", seed);
	fflush(stdout);
	if (!set_up()) {
		fprintf(stderr, "ioctl_fuzz: no " DEVICE ", or a command that is not in the tables\n");
		return 1;
	}
	watch_fd = device_open();
	live = live_after_trim(watch_fd);
	random.state = seed;
	run_crews(&random);
	close(common_fd);
	settle_objects(watch_fd, live);
	if (live_after_trim(watch_fd) != live)
		fail("objects are left");
	print_calls();
	return atomic_load(&shared->nr_wrong) != 0;
}
