// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/gospan writes to its callers is an answer, and nothing that memory held
 * before: each command that answers is asked twice, with its answer laid over two
 * patterns. A byte that shows both was not written; a number that is no number is
 * an address, or what a stack or an object had in it. The kernel does its part where
 * it fills these itself: "slub_debug=P page_poison=1" without init_on_alloc.
 */
#include "gospan_test.h"
#include "ioctl_abi.h"

#include <poll.h>

#define OBJECT_BYTES	3000
#define MAX_BYTES	8192	/* of an argument, or an array */
#define NR_OPS		64U
#define NR_SAMPLES	4U
#define NR_CLASSES	16U
#define GUARD_BYTES	64	/* behind each, that stay */
#define STALE		0xc3	/* on the kernel's stack and in the heap, from before */

static const unsigned char poisons[2] = { 0xa5, 0x5a };

struct answer {
	_Alignas(8) unsigned char before[MAX_BYTES], after[MAX_BYTES];
};

FIXTURE(leak) {
	int fd;
	struct gospan_object object;
	struct gospan_replay_op ops[NR_OPS];
	struct gospan_replay_cache cache;
	/* By pattern: of the argument, and of the arrays */
	struct answer argument[2], arrays[2][MAX_ARRAYS];
};

/* What was freed last is given next. */
static int soil_heap(int fd)
{
	unsigned char stale[OBJECT_BYTES];
	struct gospan_object o;
	int err;

	memset(stale, STALE, sizeof(stale));
	err = object_alloc(fd, OBJECT_BYTES, 0, &o);
	if (!err)
		err = object_write(fd, o.handle, 0, stale, sizeof(stale));
	return err ?: object_free(fd, o.handle);
}

FIXTURE_SETUP(leak)
{
	unsigned int i;

	ASSERT_TRUE(abi_is_complete());
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, soil_heap(self->fd));
	ASSERT_EQ(0, object_alloc(self->fd, OBJECT_BYTES, 0, &self->object));
	for (i = 0; i < NR_OPS; i++)
		self->ops[i] = (struct gospan_replay_op){ .id = i, .size = 8 + i };
	self->cache = (struct gospan_replay_cache){ 100, 104 };
}

FIXTURE_TEARDOWN(leak)
{
	close(self->fd);
}

/* poll() copies what it is asked to the stack. */
static void soil_stack(void)
{
	struct pollfd fds[30];

	memset(fds, STALE, sizeof(fds));	/* negative descriptors: nothing to wait for */
	poll(fds, sizeof(fds) / sizeof(fds[0]), 0);
}

static void ask_replay(struct gospan_replay *r)
{
	r->allocator = GOSPAN_REPLAY_GOSPAN_CACHE;
	r->nr_ops = NR_OPS;
	r->nr_ids = NR_OPS;
	r->weigh_at = NR_OPS;
}

static void ask_replay_cpus(struct gospan_replay_cpus *r)
{
	ask_replay(&r->replay);
	pick_cpus(r->cpus, 2);
	r->nr_caches = 1;
	r->nr_samples = NR_SAMPLES;
	r->nr_classes = NR_CLASSES;
}

static void ask_bench(struct gospan_bench *b)
{
	b->workload = GOSPAN_WORKLOAD_BATCH;
	b->allocator = GOSPAN_ALLOCATOR_GOSPAN;
	b->flags = GOSPAN_BENCH_WEIGH;
	b->size = 64;
	b->nr_objects = 100;
	b->rounds = 2;
	b->nr_results = pick_cpus(b->cpus, 2);
}

/* The fields that are not 0, but addresses. */
static void ask(FIXTURE_DATA(leak) *self, enum command_id id, void *argument)
{
	switch (id) {
	case COMMAND_CLASS:
		((struct gospan_class *)argument)->sizeclass = 67;
		break;
	case COMMAND_HEAPSTATS:
		((struct gospan_heapstats *)argument)->node = GOSPAN_ALL_NODES;
		break;
	case COMMAND_ALLOC:
		((struct gospan_object *)argument)->size = OBJECT_BYTES;
		break;
	case COMMAND_REALLOC:
		((struct gospan_object *)argument)->size = OBJECT_BYTES + 1;
		((struct gospan_object *)argument)->handle = self->object.handle;
		break;
	case COMMAND_READ:
		((struct gospan_io *)argument)->handle = self->object.handle;
		((struct gospan_io *)argument)->len = self->object.usable;
		break;
	case COMMAND_BENCH:
		ask_bench(argument);
		break;
	case COMMAND_REPLAY:
		ask_replay(argument);
		break;
	case COMMAND_REPLAY_CPUS:
		ask_replay_cpus(argument);
		break;
	default:
		break;
	}
}

static void ask_array(FIXTURE_DATA(leak) *self, const struct array *array, unsigned char *rows)
{
	struct gospan_replay_sample *samples = (void *)rows;
	unsigned int i;

	if (array->row->bytes == sizeof(self->ops[0])) {
		memcpy(rows, self->ops, sizeof(self->ops));
	} else if (array->row->bytes == sizeof(self->cache)) {
		memcpy(rows, &self->cache, sizeof(self->cache));
	} else if (array->is_read && array->is_written) {
		for (i = 0; i < NR_SAMPLES; i++) {
			record_clear(array->row, (unsigned char *)&samples[i]);
			samples[i].at = (i + 1) * NR_OPS / NR_SAMPLES;
		}
	}
}

/* Asks with pattern @which; what was there before and after stays in @self. */
static int ask_over(FIXTURE_DATA(leak) *self, enum command_id id, unsigned int which)
{
	const struct command *command = &commands[id];
	struct answer *argument = &self->argument[which];
	unsigned int i;
	int err;

	memset(argument->before, poisons[which], MAX_BYTES);
	record_clear(command->record, argument->before);
	ask(self, id, argument->before);
	for (i = 0; i < command->nr_arrays; i++) {
		struct answer *rows = &self->arrays[which][i];

		memset(rows->before, poisons[which], MAX_BYTES);
		ask_array(self, &command->arrays[i], rows->before);
		memcpy(rows->after, rows->before, MAX_BYTES);
		number_set(argument->before + command->arrays[i].address, 8,
			   (uintptr_t)rows->after);
	}
	memcpy(argument->after, argument->before, MAX_BYTES);
	soil_stack();
	err = do_ioctl(self->fd, command->request, argument->after);
	if (id == COMMAND_ALLOC && !err)
		object_free(self->fd, ((struct gospan_object *)argument->after)->handle);
	return err;
}

/* How many rows were asked for; that is not changed but for classes, of which there may be fewer. */
static unsigned int nr_rows(const struct array *array, const struct answer *argument)
{
	return number_get(argument->after + array->count, array->count_width);
}

/* Is there a byte that shows both patterns where an answer should be? */
static bool is_unwritten(const struct field *field, const unsigned char *first,
			 const unsigned char *second)
{
	unsigned int i;

	for (i = field->offset; i < field->offset + field->bytes; i++)
		if (field->kind >= FIELD_OUT && first[i] == poisons[0] && second[i] == poisons[1])
			return true;
	return false;
}

static void judge(struct __test_metadata *_metadata, const char *command,
		  const struct record *record, const struct answer answers[2], size_t offset)
{
	const struct field *field;
	unsigned int which, i;

	for (which = 0; which < 2; which++) {
		field = record_judge(record, answers[which].before + offset,
				     answers[which].after + offset, OUTCOME_ANSWERED);
		EXPECT_EQ(NULL, field) {
			TH_LOG("%s, pattern %u, byte %zu: %s.%s", command, which, offset,
			       record->name, field->name);
		}
	}
	for (i = 0; i < record->nr_fields; i++) {
		EXPECT_FALSE(is_unwritten(&record->fields[i], answers[0].after + offset,
					  answers[1].after + offset)) {
			TH_LOG("%s, byte %zu: %s.%s is not written", command, offset,
			       record->name, record->fields[i].name);
		}
	}
}

/* What lies behind the last row is the caller's. */
static void judge_rest(struct __test_metadata *_metadata, const char *command,
		       const struct answer *answer, size_t bytes)
{
	EXPECT_EQ(0, memcmp(answer->before + bytes, answer->after + bytes, GUARD_BYTES)) {
		TH_LOG("%s writes past byte %zu", command, bytes);
	}
}

static void judge_array(struct __test_metadata *_metadata, const struct command *command,
			const struct array *array, const struct answer answers[2], unsigned int rows)
{
	unsigned int i;

	for (i = 0; i < rows && array->row->nr_fields; i++)
		judge(_metadata, command->name, array->row, answers, i * array->row->bytes);
	judge_rest(_metadata, command->name, &answers[0], rows * array->row->bytes);
	judge_rest(_metadata, command->name, &answers[1], rows * array->row->bytes);
}

static void judge_command(struct __test_metadata *_metadata, FIXTURE_DATA(leak) *self,
			  enum command_id id)
{
	const struct command *command = &commands[id];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ask_over(self, id, i)) {
			TH_LOG("%s", command->name);
		}
		judge_rest(_metadata, command->name, &self->argument[i], command->record->bytes);
	}
	judge(_metadata, command->name, command->record, self->argument, 0);
	for (i = 0; i < command->nr_arrays; i++) {
		struct answer answers[2] = { self->arrays[0][i], self->arrays[1][i] };

		judge_array(_metadata, command, &command->arrays[i], answers,
			    nr_rows(&command->arrays[i], &self->argument[0]));
	}
}

#define ANSWERS(name, id) \
	TEST_F(leak, name) \
	{ \
		judge_command(_metadata, self, id); \
	}

ANSWERS(version, COMMAND_VERSION)
ANSWERS(class, COMMAND_CLASS)
ANSWERS(memstats, COMMAND_MEMSTATS)
ANSWERS(heapstats, COMMAND_HEAPSTATS)
ANSWERS(trim, COMMAND_TRIM)
ANSWERS(alloc, COMMAND_ALLOC)
ANSWERS(realloc, COMMAND_REALLOC)
ANSWERS(bench, COMMAND_BENCH)
ANSWERS(replay, COMMAND_REPLAY)
ANSWERS(replay_cpus, COMMAND_REPLAY_CPUS)

/* Of an object, and of what it is larger than was asked for, too. */
TEST_F(leak, read)
{
	judge_command(_metadata, self, COMMAND_READ);
	EXPECT_LT(OBJECT_BYTES, self->object.usable);
	EXPECT_TRUE(all_zero(self->arrays[0][0].after, self->object.usable));
	EXPECT_TRUE(all_zero(self->arrays[1][0].after, self->object.usable));
}

GOSPAN_TEST_MAIN
