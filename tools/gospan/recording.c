// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan record: write down what the kernel of this machine allocates, as a
 * text that gospan replay reads.
 *
 * The text is read from ftrace all the time, so a recording may be as long as
 * the disk is large. Signals come through a file: a ^C, the end of the command
 * or of the time is seen between two reads, and what has to be done at the end
 * is done in one place.
 */
#include "commands.h"
#include "device.h"
#include "parse.h"
#include "sink.h"
#include "tracefs.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SECONDS	86400
#define MAX_BUFFER_KIB	(1U << 20)
/* How long what is in the buffers may wait: not every kernel tells when to read. */
#define READ_MS		50
#define PIPE_BYTES	(64 * 1024)

enum { OPTION_SECONDS = 256, OPTION_BUFFER };

struct record_options {
	const char *path;
	__u64 seconds;		/* 0: until a signal, or the end of the command */
	__u64 buffer_kib;
	char **command;		/* NULL: none */
};

struct recorder {
	const struct record_options *options;
	struct tracefs tracefs;
	struct sink *sink;
	sigset_t old_signals;
	int signals;		/* where they come */
	int pipe;		/* the text of the events */
	pid_t child;		/* the command, or 0 */
	int child_status;
	int start;		/* closed when the command is to start */
	bool failed;		/* the file cannot be written */
	char text[PIPE_BYTES];
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct record_options *o = state->input;
	struct parse_error error;

	switch (key) {
	case 'o':
		o->path = arg;
		return 0;
	case OPTION_SECONDS:
		if (!parse_number(arg, 1, MAX_SECONDS, &o->seconds, &error))
			argp_error(state, "--seconds: %s", error.text);
		return 0;
	case OPTION_BUFFER:
		if (!parse_number(arg, 1, MAX_BUFFER_KIB, &o->buffer_kib, &error))
			argp_error(state, "--buffer: %s", error.text);
		return 0;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (o->command && o->seconds)
			argp_error(state, "--seconds or a COMMAND");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void open_signals(struct recorder *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &r->old_signals);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		fail("signalfd: %s", strerror(errno));
}

/* Have the command wait for r->start to be closed; what it allocates till then is not its own. */
static void fork_command(struct recorder *r)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		fail("pipe: %s", strerror(errno));
	r->child = fork();
	if (r->child < 0)
		fail("fork: %s", strerror(errno));
	if (r->child) {
		close(ends[0]);
		r->start = ends[1];
		return;
	}
	close(ends[1]);
	sigprocmask(SIG_SETMASK, &r->old_signals, NULL);
	/* A byte and not the end: the recording did not come to begin. */
	if (read(ends[0], &byte, 1) != 1)
		_exit(127);
	close(ends[0]);
	execvp(r->options->command[0], r->options->command);
	fprintf(stderr, "gospan: %s: %s\n", r->options->command[0], strerror(errno));
	_exit(127);
}

/* When all else is there: what was recorded before goes with it. */
static void open_sink(struct recorder *r)
{
	int error;

	r->sink = sink_open(r->options->path);
	if (r->sink)
		return;
	error = errno;
	close(r->pipe);
	tracefs_destroy(&r->tracefs);
	fail("%s: %s", r->options->path, strerror(error));
}

static void write_text(struct recorder *r, const char *text, size_t bytes)
{
	if (r->failed || sink_write(r->sink, text, bytes))
		return;
	r->failed = true;
	fprintf(stderr, "gospan: %s: %s\n", r->options->path, strerror(errno));
}

static void write_head(struct recorder *r)
{
	struct utsname kernel;
	int bytes;

	uname(&kernel);
	bytes = snprintf(r->text, sizeof(r->text),
			 "# The kernel's allocations, by gospan record: %s %s, %ld CPUs\n",
			 kernel.release, kernel.machine, sysconf(_SC_NPROCESSORS_ONLN));
	write_text(r, r->text, bytes);
}

/* All that is there. */
static void read_pipe(struct recorder *r)
{
	ssize_t n;

	while (!r->failed && (n = read(r->pipe, r->text, sizeof(r->text))) > 0)
		write_text(r, r->text, n);
}

/* Returns whether one of the signals that have come ends the recording. */
static bool read_signals(struct recorder *r)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			end = true;
		else if (waitpid(r->child, &r->child_status, WNOHANG) == r->child)
			r->child = 0, end = true;
	}
	return end;
}

static void record_until_end(struct recorder *r)
{
	struct pollfd polls[] = {
		{ .fd = r->signals, .events = POLLIN }, { .fd = r->pipe, .events = POLLIN },
	};

	do {
		poll(polls, 2, READ_MS);
		read_pipe(r);
	} while (!read_signals(r) && !r->failed);
}

static void start(struct recorder *r)
{
	tracefs_switch(&r->tracefs, 1);
	if (r->options->seconds)
		alarm(r->options->seconds);
	if (r->child && write(r->start, "", 1) != 1)
		perror("gospan: cannot start the command");
}

static int report(const struct recorder *r, const struct tracefs_stats *stats)
{
	if (r->failed)
		return EXIT_FAILURE;
	fprintf(stderr, "%s: %llu events, %llu lost\n", r->options->path, stats->read,
		stats->lost);
	if (!r->options->command || r->child)
		return EXIT_SUCCESS;
	return WIFEXITED(r->child_status) ? WEXITSTATUS(r->child_status) : EXIT_FAILURE;
}

static int record(const struct record_options *o)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct tracefs_stats stats;
	int status;

	if (!r)
		fail("out of memory");
	r->options = o;
	open_signals(r);
	if (o->command)
		fork_command(r);
	tracefs_create(&r->tracefs, o->buffer_kib);
	r->pipe = tracefs_open_pipe(&r->tracefs);
	open_sink(r);
	write_head(r);
	start(r);
	record_until_end(r);
	tracefs_switch(&r->tracefs, 0);
	read_pipe(r);
	stats = tracefs_read_stats(&r->tracefs);
	close(r->pipe);
	tracefs_destroy(&r->tracefs);
	if (!sink_close(r->sink) && !r->failed) {
		r->failed = true;
		fprintf(stderr, "gospan: %s: %s\n", o->path, strerror(errno));
	}
	status = report(r, &stats);
	free(r);
	return status;
}

int cmd_record(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "output", 'o', "FILE", 0,
		  "where to write (default: gospan.ftrace.zst); packed if it ends in .zst", 0 },
		{ "seconds", OPTION_SECONDS, "N", 0, "stop after so long", 0 },
		{ "buffer", OPTION_BUFFER, "KIB", 0,
		  "the buffer on each CPU, until its events are read (default: 8192)", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, "[-- COMMAND [ARG...]]",
		"Record what the kernel of this machine allocates and frees, whoever makes it, until "
		"the COMMAND ends, the time is over, or ^C. gospan replay reads the file. This needs "
		"root and tracefs, but not the module; other users of ftrace do not notice.",
		NULL, NULL, NULL
	};
	struct record_options o = { .path = "gospan.ftrace.zst", .buffer_kib = 8192 };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	return record(&o);
}
