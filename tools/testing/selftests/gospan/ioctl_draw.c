// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call is drawn in this order: a command; an argument that would do; fields of
 * it changed to values at the edge of what is allowed, or beyond; the arrays that
 * it then points to; places for all of these; in the end, rarely, the number of
 * the command. All is decided by the state of the random numbers, and nothing by
 * an answer, so that a seed draws the same calls again.
 */
#include "ioctl_draw.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GAP_BYTES	65536	/* that cannot be touched, before and behind each region */
#define BEHIND_BYTES	32	/* after an argument or array, to see what writes too far */
#define NR_HANDLES	64	/* objects of a file, mostly: the lowest free handle is given */
#define NR_IDS		32

/* How often each is called; what takes long, rarely. */
static const unsigned int weights[NR_COMMANDS] = {
	[COMMAND_VERSION] = 300,
	[COMMAND_CLASS] = 2000,
	[COMMAND_MEMSTATS] = 20,
	[COMMAND_HEAPSTATS] = 1000,
	[COMMAND_CACHE] = 400,
	[COMMAND_TRIM] = 2,
	[COMMAND_ALLOC] = 8000,
	[COMMAND_REALLOC] = 5000,
	[COMMAND_FREE] = 10000,
	[COMMAND_READ] = 8000,
	[COMMAND_WRITE] = 5000,
	[COMMAND_BENCH] = 4,
	[COMMAND_REPLAY] = 20,
	[COMMAND_REPLAY_CPUS] = 4,
};

/* Addresses that no process has. */
static const __u64 nowhere[] = {
	0, 1, 8, 0x1000, 0x7fffffffffffULL, 0x800000000000ULL, 0xffff800000000000ULL,
	0xffff888000000000ULL, 0xffffc90000000000ULL, 0xffffffff81000000ULL,
	0xffffffffc0000000ULL, ~0ULL, ~7ULL, ~0xfffULL,
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Below @limit; splitmix64. */
__u64 draw(struct random *random, __u64 limit)
{
	__u64 x = random->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) % limit;
}

static __u64 draw_any(struct random *random)
{
	return draw(random, 1ULL << 32) << 32 | draw(random, 1ULL << 32);
}

/* Of all magnitudes up to @max. */
static __u64 draw_magnitude(struct random *random, __u64 max)
{
	__u64 limit = 1ULL << draw(random, 64);

	if (limit > max)
		limit = max;
	return draw(random, limit + 1);
}

static __u64 draw_nowhere(struct random *random)
{
	return nowhere[draw(random, ARRAY_SIZE(nowhere))];
}

static bool region_init(struct region *region)
{
	int fd = memfd_create("region", MFD_CLOEXEC);
	unsigned char *base;

	if (fd < 0 || ftruncate(fd, REGION_BYTES))
		return false;
	base = mmap(NULL, 3 * GAP_BYTES + 2 * REGION_BYTES, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return false;
	region->view = mmap(base + GAP_BYTES, REGION_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, fd, 0);
	region->read_only = mmap(base + 2 * GAP_BYTES + REGION_BYTES, REGION_BYTES, PROT_READ,
				 MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return region->view != MAP_FAILED && region->read_only != MAP_FAILED;
}

bool caller_init(struct caller *c, __u64 seed, __u64 cpus, unsigned char data)
{
	unsigned int i;

	c->random.state = seed;
	c->cpus = cpus;
	c->data = data;
	if (!region_init(&c->argument))
		return false;
	for (i = 0; i < MAX_ARRAYS; i++)
		if (!region_init(&c->array[i]))
			return false;
	return true;
}

/* For @bytes, which may be more than there are: they then begin where the region does. */
static struct place place_draw(struct caller *c, const struct region *region, size_t bytes)
{
	size_t room = bytes < REGION_BYTES ? REGION_BYTES - bytes : 0, offset = room;
	unsigned int kind = draw(&c->random, 32);
	struct place place = { .is_writable = true };

	if (kind == 0)
		return (struct place){ .address = draw_nowhere(&c->random) };
	if (kind == 1)
		offset = REGION_BYTES - draw(&c->random, bytes < REGION_BYTES ? bytes + 1 : 1);
	else if (kind < 6 && !c->is_raced)
		offset = draw(&c->random, room + 1);
	else if (kind < 24 && !c->is_raced)
		offset = draw(&c->random, room + 1) & ~7ULL;
	/* The others end with the region. */
	place.view = region->view + offset;
	place.reach = REGION_BYTES - offset < bytes ? REGION_BYTES - offset : bytes;
	place.behind = REGION_BYTES - offset - place.reach;
	if (place.behind > BEHIND_BYTES)
		place.behind = BEHIND_BYTES;
	memset(place.view + place.reach, GUARD, place.behind);
	place.address = (__u64)(unsigned long)place.view;
	if (kind == 2) {
		place.address = (__u64)(unsigned long)(region->read_only + offset);
		place.is_writable = false;
	}
	return place;
}

/* --- arguments that would do ------------------------------------------------ */

static __u64 draw_size(struct random *random)
{
	if (!draw(random, 1024))
		return draw(random, (4 << 20) + 2);
	return draw_magnitude(random, 8192);
}

static __u32 draw_handle(struct random *random)
{
	return draw(random, NR_HANDLES);
}

static void draw_object(struct caller *c, struct gospan_object *o, bool is_old)
{
	o->size = draw_size(&c->random);
	o->flags = draw(&c->random, 2);
	if (is_old)
		o->handle = draw_handle(&c->random);
}

static void draw_io(struct caller *c, struct gospan_io *io)
{
	io->handle = draw_handle(&c->random);
	io->offset = draw(&c->random, 2) ? 0 : draw_magnitude(&c->random, 4096);
	io->len = draw_magnitude(&c->random, 2048);
}

/* Some of the CPUs; an even number, for workloads want pairs. */
static unsigned int draw_cpus(struct caller *c, __u64 *cpus)
{
	unsigned int nr = 0, cpu;

	for (cpu = 0; cpu < 64; cpu++) {
		if (!(c->cpus >> cpu & 1) || draw(&c->random, 2))
			continue;
		*cpus |= 1ULL << cpu;
		nr++;
	}
	if (nr && nr % 2 == 0)
		return nr;
	*cpus = draw(&c->random, 2) ? c->cpus : c->cpus & -c->cpus;
	return __builtin_popcountll(*cpus);
}

static bool has_size(__u32 workload)
{
	switch (workload) {
	case GOSPAN_WORKLOAD_MIX:
	case GOSPAN_WORKLOAD_LARSON:
	case GOSPAN_WORKLOAD_ALLOC_TEST:
	case GOSPAN_WORKLOAD_SHBENCH:
	case GOSPAN_WORKLOAD_RPTEST:
	case GOSPAN_WORKLOAD_MSTRESS:
		return false;
	default:
		return true;
	}
}

static void draw_bench(struct caller *c, struct gospan_bench *b)
{
	struct random *random = &c->random;

	b->workload = draw(random, GOSPAN_NR_WORKLOADS);
	b->allocator = draw(random, 2) ? GOSPAN_ALLOCATOR_GOSPAN
				       : draw(random, GOSPAN_NR_ALLOCATORS);
	b->flags = draw(random, 2) ? 0 : draw(random, 8);
	if (has_size(b->workload))
		b->size = 16 + draw_magnitude(random, 8192);
	b->nr_objects = 1 + draw(random, 128);
	b->rounds = 1 + draw(random, 3);
	b->seed = draw_any(random);
	b->nr_results = draw_cpus(c, b->cpus) + draw(random, 3);
	if (b->allocator == GOSPAN_ALLOCATOR_SPAN || b->allocator == GOSPAN_ALLOCATOR_PAGES)
		b->held_pages = draw(random, 2) ? 0 : draw(random, 64);
	if (b->workload == GOSPAN_WORKLOAD_BATCH || b->workload == GOSPAN_WORKLOAD_REMOTE ||
	    b->workload == GOSPAN_WORKLOAD_FAN_OUT)
		b->order = draw(random, GOSPAN_NR_ORDERS);
}

static void draw_replay(struct caller *c, struct gospan_replay *r)
{
	r->allocator = draw(&c->random, GOSPAN_NR_REPLAYERS);
	r->nr_ops = 1 + draw(&c->random, 256);
	r->nr_ids = NR_IDS;
	r->weigh_at = draw(&c->random, r->nr_ops + 1);
}

static void draw_replay_cpus(struct caller *c, struct gospan_replay_cpus *r)
{
	draw_replay(c, &r->replay);
	/* Each change of CPU takes two switches of tasks. */
	r->replay.nr_ops = 1 + r->replay.nr_ops / 4;
	r->replay.weigh_at /= 4;
	draw_cpus(c, r->cpus);
	r->nr_caches = draw(&c->random, 8);
	r->nr_samples = draw(&c->random, 8);
	r->nr_classes = draw(&c->random, 32);
}

static void draw_argument(struct caller *c, void *argument)
{
	switch (c->command - commands) {
	case COMMAND_CLASS:
		((struct gospan_class *)argument)->sizeclass = 1 + draw(&c->random, 67);
		break;
	case COMMAND_HEAPSTATS:
		((struct gospan_heapstats *)argument)->node = draw(&c->random, 2) ? 0 : -1;
		break;
	case COMMAND_ALLOC:
		draw_object(c, argument, false);
		break;
	case COMMAND_REALLOC:
		draw_object(c, argument, true);
		break;
	case COMMAND_FREE:
		((struct gospan_handle *)argument)->handle = draw_handle(&c->random);
		break;
	case COMMAND_READ:
	case COMMAND_WRITE:
		draw_io(c, argument);
		break;
	case COMMAND_BENCH:
		draw_bench(c, argument);
		break;
	case COMMAND_REPLAY:
		draw_replay(c, argument);
		break;
	case COMMAND_REPLAY_CPUS:
		draw_replay_cpus(c, argument);
		break;
	}
}

/* --- spoiling --------------------------------------------------------------- */

static __u64 draw_edge(struct random *random, const struct field *field, __u64 old)
{
	switch (draw(random, 12)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return field->max;
	case 3: return field->max + 1;
	case 4: return ~0ULL;
	case 5: return 1ULL << (8 * field->width - 1);
	case 6: return (1ULL << (8 * field->width - 1)) - 1;
	case 7: return old + 1;
	case 8: return old - 1;
	case 9: return old ^ 1ULL << draw(random, 64);
	case 10: return draw_magnitude(random, field->max);
	default: return draw_any(random);
	}
}

/* One number of @record, which lies at @at. Addresses stay: what they point to is drawn apart. */
static void spoil(struct random *random, const struct record *record, unsigned char *at)
{
	const struct field *field = &record->fields[draw(random, record->nr_fields)];
	unsigned char *number;

	if (field->kind == FIELD_ADDRESS || field->kind == FIELD_OUT || field->kind == FIELD_TEXT)
		return;
	number = at + field->offset + draw(random, field->bytes / field->width) * field->width;
	number_set(number, field->width,
		   draw_edge(random, field, number_get(number, field->width)));
}

/* --- arrays ----------------------------------------------------------------- */

/* Objects come and go, several steps on a CPU. */
static void fill_ops(struct caller *c, struct gospan_replay_op *op, unsigned int n)
{
	__u32 live = 0, id, cpu = 0;

	for (; n; n--, op++) {
		id = draw(&c->random, NR_IDS);
		cpu = draw(&c->random, 16) ? cpu : draw(&c->random, 8);
		*op = (struct gospan_replay_op){ .id = id, .cpu = cpu };
		if (!(live >> id & 1)) {
			op->size = draw_size(&c->random);
			op->flags = draw(&c->random, 4);
			live |= 1U << id;
		} else if (draw(&c->random, 4)) {
			op->kind = GOSPAN_OP_FREE;
			live &= ~(1U << id);
		} else {
			op->kind = GOSPAN_OP_REALLOC;
			op->size = draw_size(&c->random);
		}
	}
}

static void fill_caches(struct caller *c, struct gospan_replay_cache *cache, unsigned int n)
{
	for (; n; n--, cache++) {
		cache->size = 1 + draw_magnitude(&c->random, 8191);
		cache->slot_bytes = cache->size + draw(&c->random, 64);
	}
}

static void fill_samples(struct caller *c, struct gospan_replay_sample *sample, unsigned int n)
{
	__u64 at = 0;

	for (; n; n--, sample++) {
		at += 1 + draw(&c->random, 32);
		sample->at = at;
		sample->reserved = 0;
	}
}

/* What the module reads: @bytes, of whole rows and perhaps a part of one. */
static void fill_rows(struct caller *c, const struct array *array, unsigned char *rows,
		      size_t bytes)
{
	unsigned int n = bytes / array->row->bytes;

	memset(rows, array->is_written ? c->poison : c->data, bytes);
	if (!array->is_read || !array->row->nr_fields || !n)
		return;
	if (array->row->bytes == sizeof(struct gospan_replay_op))
		fill_ops(c, (void *)rows, n);
	else if (array->row->bytes == sizeof(struct gospan_replay_cache))
		fill_caches(c, (void *)rows, n);
	else
		fill_samples(c, (void *)rows, n);
	if (!draw(&c->random, 4))
		spoil(&c->random, array->row, rows + draw(&c->random, n) * array->row->bytes);
}

static void draw_arrays(struct caller *c)
{
	unsigned int i;

	for (i = 0; i < c->command->nr_arrays; i++) {
		const struct array *array = &c->command->arrays[i];
		__u64 n = number_get(c->before + array->count, array->count_width);
		size_t most = 2 * REGION_BYTES / array->row->bytes;
		struct place place;

		place = place_draw(c, &c->array[i], (n < most ? n : most) * array->row->bytes);
		number_set(c->before + array->address, 8, place.address);
		/* In aligned memory first: the place may be odd. */
		fill_rows(c, array, c->rows_before[i], place.reach);
		if (place.view)
			memcpy(place.view, c->rows_before[i], place.reach);
		c->rows[i] = place;
	}
}

/* --- the call --------------------------------------------------------------- */

static const struct command *draw_command(struct random *random)
{
	unsigned int total = 0, i;
	__u64 dice;

	for (i = 0; i < NR_COMMANDS; i++)
		total += weights[i];
	dice = draw(random, total);
	for (i = 0; dice >= weights[i]; i++)
		dice -= weights[i];
	return &commands[i];
}

static bool is_known(unsigned long request)
{
	unsigned int i = 0;

	while (i < NR_COMMANDS && commands[i].request != request)
		i++;
	return i < NR_COMMANDS;
}

/* One part of the number changed; it may be another command's then. */
static unsigned long draw_request(struct random *random, unsigned long r)
{
	unsigned int dir = _IOC_DIR(r), type = _IOC_TYPE(r), nr = _IOC_NR(r), bytes = _IOC_SIZE(r);

	switch (draw(random, 5)) {
	case 0: dir = draw(random, 4); break;
	case 1: type ^= 1U << draw(random, 8); break;
	case 2: nr = draw(random, 256); break;
	case 3: bytes = draw(random, 1 << 14); break;
	default: return draw(random, 1ULL << 32);
	}
	return _IOC(dir, type, nr, bytes);
}

/* Draws all, and lays it out in memory. */
void caller_draw(struct caller *c)
{
	static const unsigned char poisons[] = POISONS;
	struct random *random = &c->random;
	const struct record *record;
	unsigned int n;

	c->command = draw_command(random);
	c->request = c->command->request;
	c->poison = poisons[draw(random, 2)];
	record = c->command->record;
	memset(c->before, c->poison, record->bytes);
	record_clear(record, c->before);
	draw_argument(c, c->before);
	for (n = draw(random, 8); n > 5; n--)
		spoil(random, record, c->before);
	draw_arrays(c);
	c->place = place_draw(c, &c->argument, record->bytes);
	if (c->place.view)
		memcpy(c->place.view, c->before, c->place.reach);
	if (!draw(random, 32)) {
		unsigned long request = draw_request(random, c->request);

		if (!is_known(request))
			c->request = request;
	}
	c->is_known = c->request == c->command->request;
}

/* A word where arguments and arrays of a raced caller end. */
void caller_disturb(struct caller *c, struct random *random)
{
	static const __u64 values[] = {
		0, 1, 2, 8, 63, 4096, 65536, 1 << 20, ~0ULL, 1ULL << 31, 1ULL << 32, 1ULL << 63,
		0xffff888000000000ULL,
	};
	unsigned int which = draw(random, MAX_ARRAYS + 1);
	struct region *region = which < MAX_ARRAYS ? &c->array[which] : &c->argument;
	__u64 *word = (__u64 *)(region->view + REGION_BYTES) - 1 - draw(random, 40);

	__atomic_store_n(word, values[draw(random, ARRAY_SIZE(values))], __ATOMIC_RELAXED);
}
