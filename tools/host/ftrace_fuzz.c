// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of ftrace's text: on any bytes, and on texts of lines that mean
 * something, whose outcome an oracle foretells.
 */
#include <linux/types.h>
#include <stdarg.h>
#include <string.h>
#include "../gospan/ftrace.h"
#include "check.h"
#include "input.h"

#define NR_PTRS		24
#define NR_NAMES	3
#define MAX_STEPS	400
#define MAX_TEXT	(MAX_STEPS * 6000)

static const char *const names[NR_NAMES] = { "filp", "cred", "a:b [7]" };

struct oracle_object {
	bool live;
	u64 op;			/* of its allocation */
};

struct oracle_op {
	u8 kind;
	bool cache;
	bool zero;
	u32 cpu;		/* as recorded */
	u32 size;
	u32 slot_bytes;
	const char *name;	/* of the cache, once it was freed; NULL: not known */
	u64 object;		/* number of the object's allocation */
};

static struct {
	struct trace_counts counts;
	struct oracle_object object[NR_PTRS];
	struct oracle_op op[2 * MAX_STEPS];
	u64 nr_ops;
	u64 time_ns;
	u64 last_ns;
	size_t bytes;
	char text[MAX_TEXT];
} o;

static __attribute__((format(printf, 1, 2))) void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	o.bytes += vsnprintf(o.text + o.bytes, sizeof(o.text) - o.bytes, format, args);
	va_end(args);
	check(o.bytes < sizeof(o.text));
}

/* What all events begin with; names of tasks may look like anything. */
static u32 print_head(struct input *in)
{
	static const char *const tasks[] = {
		"init", "a b", "[3] 1.5: kfree:", "kworker/0:1H", ": : [x]", "-1 [7] 2.5: ",
	};
	u32 cpu = input_below(in, 4) * 21;
	u8 kind = input_byte(in);

	/* Now and then backwards. */
	o.time_ns += 1000 * input_byte(in);
	if (kind > 250 && o.time_ns > 5000000)
		o.time_ns -= 5000000;
	o.counts.lines++;
	o.counts.backwards += o.time_ns < o.last_ns;
	o.last_ns = o.time_ns;
	print("%16s-%u [%03u] %s %llu.%06llu: ", tasks[kind % 6], kind, cpu,
	      kind & 8 ? "d..2." : "", o.time_ns / 1000000000, o.time_ns / 1000 % 1000000);
	return cpu;
}

static struct oracle_op *add_op(u8 kind, u32 cpu, u64 object)
{
	struct oracle_op *op = &o.op[o.nr_ops++];

	*op = (struct oracle_op){ .kind = kind, .cpu = cpu, .object = object };
	return op;
}

static void step_alloc(struct input *in)
{
	static const char *const kinds[] = {
		"kmalloc", "kmalloc_node", "kmem_cache_alloc", "kmem_cache_alloc_node",
	};
	u8 kind = input_byte(in);
	u32 ptr = input_below(in, NR_PTRS), size = input_below(in, 4097), cpu = print_head(in);
	bool cache = kind & 2, zero = kind & 4;
	struct oracle_object *object = &o.object[ptr];
	struct oracle_op *op;

	/* No cache has objects of nothing. */
	size += cache && !size;
	print("%s:%s call_site=f%u+0x1/0x2%s ptr=%s%x00 bytes_req=%u bytes_alloc=%u gfp_flags=%s%s\n",
	      kinds[kind & 3], kind & 8 ? "   (f)" : "", kind >> 6, kind & 16 ? " [mod]" : "",
	      kind & 32 ? "0x" : "", ptr + 1, size, size + (kind >> 4) * 8,
	      zero ? "GFP_KERNEL|__GFP_ZERO" : "0xcc0", kind & 8 ? "" : " node=-1 accounted=false");
	if (object->live) {
		o.counts.unseen_frees++;
		add_op(GOSPAN_OP_FREE, cpu, object->op);
	}
	*object = (struct oracle_object){ true, o.nr_ops };
	op = add_op(GOSPAN_OP_ALLOC, cpu, o.nr_ops);
	op->cache = cache;
	op->zero = zero;
	op->size = size;
	op->slot_bytes = size + (kind >> 4) * 8;
}

/* Of no address, of one that was never seen, or of an object. */
static void step_free(struct input *in)
{
	u32 ptr = input_below(in, NR_PTRS + 1), cpu = print_head(in);
	const char *name = names[input_below(in, NR_NAMES)];
	struct oracle_object *object;

	print("%s call_site=g ptr=%08x00", name ? "kmem_cache_free:" : "kfree:", ptr);
	if (input_byte(in) & 1)
		print(" name=%s\n", name);
	else
		name = NULL, print("\n");
	if (!ptr) {
		o.counts.null_frees++;
		return;
	}
	object = &o.object[ptr - 1];
	if (!object->live) {
		o.counts.unmatched_frees++;
		return;
	}
	object->live = false;
	if (o.op[object->op].cache && name)
		o.op[object->op].name = name;
	add_op(GOSPAN_OP_FREE, cpu, object->op);
}

static void step_comment(struct input *in)
{
	static const char *const lines[] = { "", "#", "  # x", "cpus=4", "####### CPU 2 #####" };

	o.counts.lines++;
	print("%s\n", lines[input_below(in, 5)]);
}

static void step_lost(struct input *in)
{
	u8 n = input_byte(in);

	o.counts.lines++;
	o.counts.lost_marks++;
	switch (n % 4) {
	case 0:
		print("CPU:%u [LOST EVENTS]\n", n);
		return;
	case 1:
		print("CPU:%u [LOST %u EVENTS]\n", n, n);
		break;
	case 2:
		print("CPU:%u [%u EVENTS DROPPED]\n", n, n);
		break;
	default:
		print("CPU:%u [EVENTS DROPPED]\n", n);
		return;
	}
	o.counts.lost_events += n;
}

static void step_other(struct input *in)
{
	print_head(in);
	print("sched_switch: ptr=1 bytes_req=x\n");
	o.counts.other_events++;
}

/* Nothing of these is a line. */
static void step_malformed(struct input *in)
{
	static const char *const lines[] = {
		"x", "CPU:1 [LOST x EVENTS]", "CPU:x [LOST EVENTS]", "CPU:1 [LOST 3 EVENTS", "CPU:",
		"t-1 [000] .. 1.5: kfree: call_site=f", "t-1 [000] .. 1.5: kfree: ptr=",
		"t-1 [000] .. 1.5: kfree: ptr=12345678123456789", "t-1 [000] .. 1.: kfree: ptr=1",
		"t-1 [000] .. .5: kfree: ptr=1", "t-1 [0x0] .. 1.5: kfree: ptr=1",
		"t-1 000 .. 1.5: kfree: ptr=1", "t-1 [70000] .. 1.5: kfree: ptr=1",
		"t-1 [000] .. 1.5: kmalloc: ptr=1 bytes_req=1",
		"t-1 [000] .. 1.5: kmalloc: ptr=0 bytes_req=1 bytes_alloc=8",
		"t-1 [000] .. 1.5: kmalloc: ptr=1 bytes_req=9 bytes_alloc=8",
		"t-1 [000] .. 1.5: kmalloc: ptr=1 bytes_req=1 bytes_alloc=8x",
		"t-1 [000] .. 1.5: kmalloc: ptr=1 bytes_req=4194305 bytes_alloc=8388608",
		"t-1 [000] .. 1.5: kmalloc: ptr=1 bytes_req=18446744073709551617 bytes_alloc=8",
		"t-1 [000] .. 1.5: kmem_cache_alloc: ptr=1 bytes_req=0 bytes_alloc=8",
		"t-1 [000] .. 1.0000000001: kfree: ptr=1", "t-1 [000] .. 99999999999999: kfree: ptr=1",
	};
	u8 nr = input_byte(in) % (sizeof(lines) / sizeof(lines[0]) + 1);

	o.counts.lines++;
	if (!o.counts.malformed++)
		o.counts.first_malformed = o.counts.lines;
	if (nr < sizeof(lines) / sizeof(lines[0]))
		print("%s\n", lines[nr]);
	else
		print("%5000s\n", "t-1 [000] .. 1.5: kfree: ptr=1");
}

static void make_text(struct input *in)
{
	unsigned int steps = MAX_STEPS;

	memset(&o, 0, offsetof(typeof(o), text));
	while (in->next < in->limit && steps--) {
		u8 kind = input_byte(in);

		if (kind < 110)
			step_alloc(in);
		else if (kind < 220)
			step_free(in);
		else if (kind < 228)
			step_comment(in);
		else if (kind < 236)
			step_lost(in);
		else if (kind < 244)
			step_other(in);
		else
			step_malformed(in);
	}
}

/* A stream that a replay takes: every step can be. */
static void check_steps(const struct trace *t)
{
	bool *live = calloc((size_t)t->nr_ids + 1, sizeof(*live));

	check(live);
	check(t->nr_caches <= GOSPAN_REPLAY_MAX_CACHES);
	for (u64 i = 0; i < t->nr_ops; i++) {
		const struct gospan_replay_op *op = &t->ops[i];

		check(op->id < t->nr_ids);
		check(op->cpu < t->nr_cpus);
		check(op->kind == GOSPAN_OP_ALLOC || op->kind == GOSPAN_OP_FREE);
		check(live[op->id] == (op->kind == GOSPAN_OP_FREE));
		check(op->kind == GOSPAN_OP_ALLOC || (!op->size && !op->flags));
		check(!(op->flags & ~(GOSPAN_OP_ZERO | GOSPAN_OP_CACHE)));
		if (op->flags & GOSPAN_OP_CACHE)
			check(op->size < t->nr_caches);
		if (op->kind == GOSPAN_OP_ALLOC)
			check(t->notes[i].site < t->nr_sites);
		live[op->id] = !live[op->id];
	}
	for (u32 i = 0; i < t->nr_caches; i++)
		check(t->caches[i].size && t->caches[i].size <= t->caches[i].slot_bytes);
	free(live);
}

static void check_alloc(const struct trace *t, u64 i, const struct oracle_op *want)
{
	const struct gospan_replay_op *op = &t->ops[i];

	check_equal(!!(op->flags & GOSPAN_OP_ZERO), want->zero);
	check_equal(!!(op->flags & GOSPAN_OP_CACHE), want->cache);
	check_equal(trace_op_bytes(t, op), want->size);
	check_equal(t->notes[i].slot_bytes, want->slot_bytes);
	if (want->cache) {
		check_equal(t->caches[op->size].slot_bytes, want->slot_bytes);
		/* Up to the first space. */
		check(!want->name || !strncmp(t->cache_names[op->size], want->name,
					      strcspn(want->name, " ")));
	}
}

/* CPUs are numbered without gaps, in order. */
static void check_cpus(const struct trace *t)
{
	u32 numbers[64] = { 0 }, nr = 0;

	for (u64 i = 0; i < t->nr_ops; i++)
		numbers[o.op[i].cpu] = 1;
	for (u32 cpu = 0; cpu < 64; cpu++)
		numbers[cpu] = numbers[cpu] ? nr++ : 0;
	check_equal(t->nr_cpus, nr);
	for (u64 i = 0; i < t->nr_ops; i++)
		check_equal(t->ops[i].cpu, numbers[o.op[i].cpu]);
}

static void check_oracle(const struct trace *t)
{
	check(!memcmp(&t->counts, &o.counts, sizeof(o.counts)));
	check_equal(t->nr_ops, o.nr_ops);
	for (u64 i = 0; i < t->nr_ops; i++) {
		const struct oracle_op *want = &o.op[i];

		check_equal(t->ops[i].kind, want->kind);
		check_equal(t->ops[i].id, t->ops[want->object].id);
		if (want->kind == GOSPAN_OP_ALLOC)
			check_alloc(t, i, want);
	}
	check_cpus(t);
}

static void read_text(const char *text, size_t bytes, size_t piece, struct trace *t)
{
	struct ftrace *f = ftrace_begin();

	check(f);
	for (size_t done = 0; done < bytes; done += piece) {
		if (piece > bytes - done)
			piece = bytes - done;
		check(ftrace_feed(f, text + done, piece));
	}
	check(ftrace_end(f, t));
	check_steps(t);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	u8 kind = input_byte(&in);
	size_t piece = 1 + input_below(&in, 300) * 7;
	struct trace t;

	if (kind & 1) {
		read_text((const char *)in.next, in.limit - in.next, piece, &t);
	} else {
		make_text(&in);
		/* With or without the last newline; an empty line is none without it. */
		if (kind & 2 && o.bytes > 1 && o.text[o.bytes - 2] != '\n')
			o.bytes--;
		read_text(o.text, o.bytes, piece, &t);
		check_oracle(&t);
	}
	trace_free(&t);
	return 0;
}
