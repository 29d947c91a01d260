// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the bulk calls: the promises of the single ones for any number of
 * objects, what passes through the magazine and what goes past it, and frees
 * of everything in one array.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define JUNK		0xa5
#define MAX_OBJS	1000U
/* Bytes of a case's objects at most; where accesses are checked, more would take a minute. */
#define MAX_BYTES	(IS_ENABLED(CONFIG_KASAN) ? SZ_1M : SZ_8M)

/* What is looked at in detail: a batch is 16, a magazine has 32. */
#define STEP_BYTES	2048
#define STEP_BATCH	16U
#define STEP_SPANCLASS	gospan_make_spanclass(gospan_sizeclass_of(STEP_BYTES), false)

/* Both sides of batches, of magazines, of a claim's objects; and many. */
static const unsigned int bulk_ns[] = {
	0, 1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193,
	250, 255, 256, 257, 500, 511, 512, 513, 1000,
};

struct bulk_objects {
	void *p[MAX_OBJS];
	void *sorted[MAX_OBJS];
};

struct bulk_context {
	const char *name;
	gfp_t gfp;
	/* Calls contract_all() in its context. */
	void (*run)(struct kunit *test, struct bulk_objects *o, gfp_t gfp);
};

static int address_cmp(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* What is wrong with @n objects, or NULL. Fills them. */
static const char *contract_objects(struct bulk_objects *o, size_t size, unsigned int n, gfp_t gfp)
{
	size_t usable = gospan_size_roundup(size);
	unsigned int i;

	memcpy(o->sorted, o->p, n * sizeof(void *));
	sort(o->sorted, n, sizeof(void *), address_cmp, NULL);
	for (i = 0; i < n; i++) {
		void *p = o->sorted[i];

		if (gospan_size(p) != usable)
			return "not an object of this size";
		if (i && p < o->sorted[i - 1] + usable)
			return "objects overlap";
		if (!IS_ALIGNED((unsigned long)p, is_power_of_2(size) ? size : GOSPAN_MIN_ALIGN))
			return "not aligned";
		if (gfp & __GFP_ZERO && memchr_inv(p, 0, usable))
			return "not zeroed";
		memset(p, JUNK, usable);
	}
	return NULL;
}

/* Twice: the second time the memory is dirty. */
static const char *contract_bulk(struct bulk_objects *o, size_t size, unsigned int n, gfp_t gfp)
{
	const char *what = NULL;
	unsigned int round;

	for (round = 0; round < 2 && !what; round++) {
		if (gospan_alloc_bulk(size, gfp, n, o->p) != n)
			return "not allocated";
		what = contract_objects(o, size, n, gfp);
		gospan_free_bulk(n, o->p);
	}
	return what;
}

static void contract_all(struct kunit *test, struct bulk_objects *o, gfp_t gfp)
{
	unsigned int i, j;

	for (i = 0; i < gospan_kunit_nr_sizes; i += 2) {
		for (j = 0; j < ARRAY_SIZE(bulk_ns); j++) {
			size_t size = gospan_kunit_sizes[i];
			const char *what;

			if (size * bulk_ns[j] > MAX_BYTES)
				break;
			what = contract_bulk(o, size, bulk_ns[j], gfp);
			KUNIT_EXPECT_NULL_MSG(test, what, "%u of %zu bytes: %s", bulk_ns[j], size,
					      what);
			if (what)
				return;
		}
	}
}

static void contract_irqs_off(struct kunit *test, struct bulk_objects *o, gfp_t gfp)
{
	unsigned long flags;

	local_irq_save(flags);
	contract_all(test, o, gfp);
	local_irq_restore(flags);
}

static void contract_while_claimed(struct kunit *test, struct bulk_objects *o, gfp_t gfp)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	contract_all(test, o, gfp);
	gospan_mcache_release(slot, c);
}

static const struct bulk_context bulk_contexts[] = {
	{ "task_kernel", GFP_KERNEL, contract_all },
	{ "task_kernel_zero", GFP_KERNEL | __GFP_ZERO, contract_all },
	{ "task_nofail", GFP_KERNEL | __GFP_NOFAIL, contract_all },
	{ "task_nowait", GFP_NOWAIT, contract_all },
	{ "irqs_off_atomic", GFP_ATOMIC, contract_irqs_off },
	{ "irqs_off_atomic_zero", GFP_ATOMIC | __GFP_ZERO, contract_irqs_off },
	{ "claimed_nowait", GFP_NOWAIT, contract_while_claimed },
	{ "claimed_nowait_zero", GFP_NOWAIT | __GFP_ZERO, contract_while_claimed },
};

static void bulk_context_name(const struct bulk_context *context, char *name)
{
	strscpy(name, context->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bulk, bulk_contexts, bulk_context_name);

static struct bulk_objects *bulk_make(struct kunit *test)
{
	struct bulk_objects *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, o);
	return o;
}

static void alloc_bulk_contract(struct kunit *test)
{
	const struct bulk_context *context = test->param_value;

	if (IS_ENABLED(CONFIG_PREEMPT_RT) && context->run != contract_all)
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	context->run(test, bulk_make(test), context->gfp);
}

static void alloc_bulk_of_nothing(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	unsigned long before = gospan_report_count();
	unsigned int i;

	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(0, GFP_KERNEL, 100, o->p), 100);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_PTR_EQ(test, o->p[i], ZERO_SIZE_PTR);
	gospan_free_bulk(100, o->p);
	memset(o->p, 0, sizeof(o->p));
	gospan_free_bulk(MAX_OBJS, o->p);
	gospan_free_bulk(0, NULL);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

static void alloc_bulk_cannot_be_had(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);

	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(64, GFP_KERNEL | __GFP_DMA, 10, o->p), 0);
	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(64, GFP_NOWAIT | __GFP_DMA32, 1, o->p), 0);
	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(KMALLOC_MAX_SIZE + 1, GFP_KERNEL, 2, o->p), 0);
	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(SIZE_MAX, GFP_KERNEL, 2, o->p), 0);
}

/* Memory runs out after the one span that is there: its objects go back. */
static void alloc_bulk_all_or_nothing(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	struct gospan_mcentral *mc = gospan_mcentral_local(STEP_SPANCLASS);
	unsigned int nelems = gospan_class_nelems(gospan_sizeclass_of(STEP_BYTES)), n;
	void *p = gospan_alloc(STEP_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (n = nelems; n <= MAX_OBJS; n = 2 * n + 1) {
		size_t got;

		/* No span is added to what is there. */
		WRITE_ONCE(gospan_heap.broken, true);
		got = gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, n, o->p);
		WRITE_ONCE(gospan_heap.broken, false);
		KUNIT_EXPECT_EQ(test, got, 0);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_taken), 1);
	}
	n = nelems - 1;
	KUNIT_EXPECT_EQ(test, gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, n, o->p), n);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_spans), 1);
	gospan_free_bulk(n, o->p);
	gospan_free(p);
}

/* Whichever of the pages is not to be had. */
static void alloc_bulk_nth_page_fails(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	unsigned int nth = 1, failed = 0;
	size_t got = 0;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	for (; got != MAX_OBJS && nth < 1000; nth++) {
		gospan_trim();
		gospan_kunit_fail_nth(nth);
		got = gospan_alloc_bulk(3072, GFP_NOWAIT | __GFP_NOWARN, MAX_OBJS, o->p);
		gospan_kunit_fail_nth(0);
		KUNIT_EXPECT_TRUE(test, !got || got == MAX_OBJS);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, gospan_kunit_live(), got);
		failed += !got;
	}
	KUNIT_EXPECT_EQ(test, got, MAX_OBJS);
	kunit_info(test, "%u calls failed", failed);
	gospan_free_bulk(got, o->p);
}

/* Objects: in the magazine before, in the call, in the magazine after; to or from its spans. */
struct bulk_step {
	const char *name;
	unsigned int before, n, after, moved;
};

static const struct bulk_step alloc_steps[] = {
	{ "from_magazine", 16, 5, 11, 0 },
	{ "all_of_magazine", 32, 32, 0, 0 },
	{ "refill_for_one", 16, 17, 15, 16 },
	{ "refill_for_most", 0, 15, 1, 16 },
	{ "past_a_batch", 0, 16, 0, 16 },
	{ "past_after_magazine", 3, 39, 0, 36 },
	{ "past_many", 32, 147, 0, 115 },
};

static const struct bulk_step free_steps[] = {
	{ "to_magazine", 5, 16, 21, 0 },
	{ "fills_magazine", 0, 32, 32, 0 },
	{ "flush_for_one", 32, 1, 17, 16 },
	{ "flush_for_most", 16, 31, 31, 16 },
	{ "past_a_batch", 32, 16, 32, 16 },
	{ "past_after_magazine", 3, 64, 32, 35 },
	{ "past_many", 0, 250, 32, 218 },
};

static void bulk_step_name(const struct bulk_step *step, char *name)
{
	strscpy(name, step->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(alloc_step, alloc_steps, bulk_step_name);
KUNIT_ARRAY_PARAM(free_step, free_steps, bulk_step_name);

/* This CPU's magazine with @cached objects of a few that are live in @p, and none in transit. */
static struct gospan_magazine *magazine_make(struct kunit *test, void **p, unsigned int cached)
{
	struct gospan_mcache *c = gospan_mcache_of_cpu(raw_smp_processor_id());
	struct gospan_magazine *m = &c->magazine[STEP_SPANCLASS];
	unsigned int i;

	gospan_kunit_flush();
	/* Until the magazine has grown as far as it can, and all that a refill left in it. */
	for (i = 0; i < 2 * STEP_BATCH || m->limit - m->base < 2 * STEP_BATCH || m->top > m->base;
	     i++) {
		KUNIT_ASSERT_LT(test, i, MAX_OBJS);
		p[i] = gospan_alloc(STEP_BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	gospan_mcentral_drain(gospan_mcentral_local(STEP_SPANCLASS));
	/* Else all would go one way, and be traded whole. */
	gospan_free(p[0]);
	p[0] = gospan_alloc(STEP_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p[0]);
	for (i = 0; i < cached; i++) {
		gospan_free(p[i]);
		p[i] = NULL;
	}
	KUNIT_ASSERT_EQ(test, m->limit - m->base, 2 * STEP_BATCH);
	KUNIT_ASSERT_EQ(test, m->top - m->base, cached);
	return m;
}

/* Objects that are in a magazine or live. */
static long step_moved(void)
{
	struct gospan_mcentral *mc = gospan_mcentral_local(STEP_SPANCLASS);

	return atomic_long_read(&mc->nr_taken) - gospan_transit_count(&mc->transit);
}

static void alloc_bulk_magazine(struct kunit *test)
{
	const struct bulk_step *step = test->param_value;
	struct bulk_objects *o = bulk_make(test);
	struct gospan_magazine *m = magazine_make(test, o->sorted, step->before);
	unsigned long mallocs = m->nr_mallocs;
	long before = step_moved();

	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, step->n, o->p), step->n);
	KUNIT_EXPECT_EQ(test, m->top - m->base, step->after);
	KUNIT_EXPECT_EQ(test, step_moved() - before, step->moved);
	KUNIT_EXPECT_EQ(test, m->nr_mallocs - mallocs, step->n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free_bulk(step->n, o->p);
	gospan_free_bulk(MAX_OBJS, o->sorted);
}

static void free_bulk_magazine(struct kunit *test)
{
	const struct bulk_step *step = test->param_value;
	struct bulk_objects *o = bulk_make(test);
	struct gospan_magazine *m;
	long before;

	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, step->n, o->p), step->n);
	m = magazine_make(test, o->sorted, step->before);
	before = step_moved();
	gospan_free_bulk(step->n, o->p);
	KUNIT_EXPECT_EQ(test, m->top - m->base, step->after);
	KUNIT_EXPECT_EQ(test, before - step_moved(), step->moved);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free_bulk(MAX_OBJS, o->sorted);
}

/* A class that has no capacity on this CPU gets it by bulk calls of few objects. */
static void bulk_grants_capacity(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	struct gospan_magazine *m = magazine_make(test, o->p, 0);
	unsigned int first = gospan_bytes_first_batch(STEP_BYTES);

	gospan_kunit_flush();
	KUNIT_ASSERT_EQ(test, m->limit - m->base, 0);
	gospan_free_bulk(2, o->p);
	KUNIT_EXPECT_EQ(test, m->limit - m->base, 2 * first);
	KUNIT_EXPECT_EQ(test, m->top - m->base, 2);
	gospan_free_bulk(MAX_OBJS - 2, o->p + 2);
	gospan_kunit_flush();
	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, 2, o->p), 2);
	/* And twice as much, when after the heap has grown half of it is asked for at once. */
	KUNIT_EXPECT_EQ(test, m->limit - m->base, 4 * first);
	KUNIT_EXPECT_EQ(test, m->top - m->base, first - 2);
	gospan_free_bulk(2, o->p);
}

/*
 * Calls that are too much for the magazine make it grow, until they are not. What they
 * went past it with was never counted: once others had taken its capacity, it had none.
 */
static void bulk_grows_capacity(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	struct gospan_magazine *m = magazine_make(test, o->sorted, 0);
	unsigned int n = 2 * gospan_bytes_first_batch(STEP_BYTES), i;

	gospan_free_bulk(MAX_OBJS, o->sorted);
	gospan_kunit_flush();
	KUNIT_ASSERT_LE(test, 2 * n, gospan_mcache_capacity(STEP_SPANCLASS));
	for (i = 0; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(STEP_BYTES, GFP_KERNEL, n, o->p), n);
		gospan_free_bulk(n, o->p);
	}
	KUNIT_EXPECT_GE(test, m->limit - m->base, 2 * n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static u64 all_mallocs(u64 *frees)
{
	struct gospan_memstats *st = kzalloc(sizeof(*st), GFP_KERNEL);
	u64 mallocs;

	if (!st)
		return 0;
	gospan_read_stats(st);
	mallocs = st->mallocs;
	*frees = st->frees;
	kfree(st);
	return mallocs;
}

static void bulk_is_counted(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	u64 frees, frees_before, mallocs_before = all_mallocs(&frees_before);

	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(64, GFP_KERNEL, 777, o->p), 777);
	KUNIT_EXPECT_EQ(test, all_mallocs(&frees) - mallocs_before, 777);
	KUNIT_EXPECT_EQ(test, frees, frees_before);
	gospan_free_bulk(777, o->p);
	KUNIT_EXPECT_EQ(test, all_mallocs(&frees) - mallocs_before, 777);
	KUNIT_EXPECT_EQ(test, frees - frees_before, 777);
}

/* A fifth of the sizes large, or nothing. */
static void *random_object(struct rnd_state *rnd, struct kunit *test)
{
	u32 dice = gospan_kunit_below(rnd, 20);
	void *p;

	if (!dice)
		return NULL;
	if (dice == 1)
		return ZERO_SIZE_PTR;
	p = gospan_alloc(dice < 4 ? 40000 : gospan_kunit_sizes[gospan_kunit_below(rnd, 40)],
			 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	OPTIMIZER_HIDE_VAR(p);
	memset(p, JUNK, gospan_size(p));
	return p;
}

/* As an interrupt does that finds the mcache claimed. */
static void free_bulk_claimed(size_t n, void **p)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	gospan_free_bulk(n, p);
	gospan_mcache_release(slot, c);
}

/* Everything in one array, in calls of any length, of which every other finds no mcache. */
static void free_bulk_mixed(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	unsigned long before = gospan_report_count();
	unsigned int round, i, n;
	struct rnd_state rnd;

	gospan_kunit_seed(test, &rnd);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < MAX_OBJS; i++)
			o->p[i] = random_object(&rnd, test);
		for (i = 0; i < MAX_OBJS; i += n) {
			n = min(MAX_OBJS - i, gospan_kunit_below(&rnd, 600));
			(n % 2 ? free_bulk_claimed : gospan_free_bulk)(n, o->p + i);
		}
		KUNIT_ASSERT_TRUE(test, gospan_heap_validate(&gospan_heap));
		gospan_kunit_flush();
		KUNIT_ASSERT_EQ(test, gospan_kunit_live(), (u64)(unsigned long)test->priv);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

/* What must not be freed is reported; all the others are freed. */
static void free_bulk_misuse(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	unsigned long before = gospan_report_count();
	u8 *kmalloced = kunit_kmalloc(test, 64, GFP_KERNEL);
	u8 *large = gospan_alloc(100000, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, kmalloced && large);
	memset(kmalloced, JUNK, 64);
	memset(large, JUNK, 100000);
	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(100, GFP_KERNEL, 300, o->p), 300);
	gospan_free_bulk(3, o->p);
	o->p[0] = kmalloced;
	o->p[1] = large + GOSPAN_PAGE_SIZE;
	o->p[2] = o;
	for (i = 0; i < 3; i++)
		swap(o->p[i], o->p[100 * i + 50]);
	gospan_free_bulk(300, o->p);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	KUNIT_EXPECT_NULL(test, memchr_inv(kmalloced, JUNK, 64));
	KUNIT_EXPECT_NULL(test, memchr_inv(large, JUNK, 100000));
	gospan_free(large);
}

/* Twice in one array: found when they reach their span. */
static void free_bulk_double(struct kunit *test)
{
	struct bulk_objects *o = bulk_make(test);
	unsigned long before = gospan_report_count();

	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(200, GFP_KERNEL, 5, o->p), 5);
	o->p[5] = o->p[2];
	gospan_free_bulk(6, o->p);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static struct kunit_case bulk_cases[] = {
	KUNIT_CASE_PARAM(alloc_bulk_contract, bulk_gen_params),
	KUNIT_CASE(alloc_bulk_of_nothing),
	KUNIT_CASE(alloc_bulk_cannot_be_had),
	KUNIT_CASE(alloc_bulk_all_or_nothing),
	KUNIT_CASE(alloc_bulk_nth_page_fails),
	KUNIT_CASE_PARAM(alloc_bulk_magazine, alloc_step_gen_params),
	KUNIT_CASE_PARAM(free_bulk_magazine, free_step_gen_params),
	KUNIT_CASE(bulk_grants_capacity),
	KUNIT_CASE(bulk_grows_capacity),
	KUNIT_CASE(bulk_is_counted),
	KUNIT_CASE(free_bulk_mixed),
	KUNIT_CASE(free_bulk_misuse),
	KUNIT_CASE(free_bulk_double),
	{}
};

static struct kunit_suite bulk_suite = {
	.name = "gospan_bulk",
	.init = gospan_kunit_init,
	.test_cases = bulk_cases,
};

kunit_test_suite(bulk_suite);
