// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/gospan: what the allocator is and does, objects to try it on,
 * benchmarks, and replays of what was recorded (dev_replay.c).
 *
 * An open file owns the objects that are allocated through it and names them
 * by handles, small numbers; no address of the kernel leaves it. Its mutex is
 * held for the whole of a command on objects, so that a handle cannot be freed
 * or given away while its bytes are copied. Objects never show what their
 * memory held before: what the allocator does not clear is cleared here.
 */

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include <linux/gospan.h>
#include "bench.h"
#include "bench_ticks.h"
#include "cache.h"
#include "dev.h"
#include "dev_replay.h"
#include "internal.h"
#include "malloc.h"
#include "stats.h"

/*
 * The ABI: no padding, and the same for 32-bit callers. Whoever changes one of these
 * raises the version.
 */
static_assert(sizeof(struct gospan_version) == 64);
static_assert(sizeof(struct gospan_class) == 32);
static_assert(sizeof(struct gospan_memstats_class) == 80);
static_assert(sizeof(struct gospan_memstats) == 20 * 8 + GOSPAN_NR_SIZECLASSES * 80);
static_assert(sizeof(struct gospan_heapstats) == 120);
static_assert(sizeof(struct gospan_cachestats) == 136);
static_assert(sizeof(struct gospan_trim) == 8);
static_assert(sizeof(struct gospan_object) == 32);
static_assert(sizeof(struct gospan_handle) == 8);
static_assert(sizeof(struct gospan_io) == 32);
static_assert(sizeof(struct gospan_bench_phase) == 72);
static_assert(sizeof(struct gospan_bench_cpu) == 160);
static_assert(sizeof(struct gospan_bench) == 208);

/* Objects freed at close before others may run. */
#define RESCHED_OBJECTS	1024

struct gospan_file {
	struct mutex lock;	/* covers all fields, and the bytes of the objects */
	struct xarray objects;	/* the object of each handle */
	u64 bytes;		/* gospan_size() of all objects; <= GOSPAN_MAX_HANDLE_BYTES */
};

/* One benchmark or replay at a time: two would measure each other. */
static DEFINE_MUTEX(bench_lock);

#define DEBUG_OPTION(name, option)	\
	(IS_ENABLED(CONFIG_##option) ? BIT(GOSPAN_DEBUG_##name) : 0)

static u32 debug_options(void)
{
	return DEBUG_OPTION(KASAN, KASAN) |
	       DEBUG_OPTION(KCSAN, KCSAN) |
	       DEBUG_OPTION(KMSAN, KMSAN) |
	       DEBUG_OPTION(UBSAN_TRAP, UBSAN_TRAP) |
	       DEBUG_OPTION(PROVE_LOCKING, PROVE_LOCKING) |
	       DEBUG_OPTION(LOCK_ALLOC, DEBUG_LOCK_ALLOC) |
	       DEBUG_OPTION(ATOMIC_SLEEP, DEBUG_ATOMIC_SLEEP) |
	       DEBUG_OPTION(PREEMPT, DEBUG_PREEMPT) |
	       DEBUG_OPTION(KMEMLEAK, DEBUG_KMEMLEAK) |
	       DEBUG_OPTION(PAGEALLOC, DEBUG_PAGEALLOC) |
	       DEBUG_OPTION(SLUB_DEBUG_ON, SLUB_DEBUG_ON) |
	       DEBUG_OPTION(GCOV_PROFILE, GCOV_PROFILE_ALL) |
	       DEBUG_OPTION(GCOV_PROFILE, GOSPAN_GCOV_PROFILE);
}

static u32 version_flags(void)
{
	u32 flags = 0;

	if (debug_options())
		flags |= GOSPAN_VERSION_DEBUG_KERNEL;
	if (want_init_on_alloc(0))
		flags |= GOSPAN_VERSION_INIT_ON_ALLOC;
	if (want_init_on_free())
		flags |= GOSPAN_VERSION_INIT_ON_FREE;
	return flags;
}

static long ioctl_version(void __user *arg)
{
	struct gospan_version version = {
		.abi = GOSPAN_ABI_VERSION,
		.flags = version_flags(),
		.page_bytes = GOSPAN_PAGE_SIZE,
		.nr_sizeclasses = GOSPAN_NR_SIZECLASSES,
		.tick_khz = gospan_bench_tick_khz(),
		.debug_options = debug_options(),
	};

	if (THIS_MODULE->version)
		strscpy(version.release, THIS_MODULE->version, sizeof(version.release));
	return copy_to_user(arg, &version, sizeof(version)) ? -EFAULT : 0;
}

static long ioctl_class(void __user *arg)
{
	struct gospan_class row;

	if (copy_from_user(&row, arg, sizeof(row)))
		return -EFAULT;
	if (row.sizeclass < 1 || row.sizeclass >= GOSPAN_NR_SIZECLASSES)
		return -EINVAL;
	row.sizeclass = array_index_nospec(row.sizeclass, GOSPAN_NR_SIZECLASSES);
	gospan_malloc_class_info(&row);
	return copy_to_user(arg, &row, sizeof(row)) ? -EFAULT : 0;
}

static long ioctl_memstats(void __user *arg)
{
	struct gospan_memstats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	long err;

	if (!stats)
		return -ENOMEM;
	gospan_read_stats(stats);
	err = copy_to_user(arg, stats, sizeof(*stats)) ? -EFAULT : 0;
	kfree(stats);
	return err;
}

static long ioctl_heapstats(void __user *arg)
{
	struct gospan_heapstats stats;
	int err;

	if (copy_from_user(&stats, arg, sizeof(stats)))
		return -EFAULT;
	if (stats.reserved)
		return -EINVAL;
	err = gospan_stats_read_heap(&stats);
	if (err)
		return err;
	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long ioctl_cache(void __user *arg)
{
	struct gospan_cachestats stats;
	int err;

	if (copy_from_user(&stats, arg, sizeof(stats)))
		return -EFAULT;
	if (stats.flags || stats.reserved)
		return -EINVAL;
	err = gospan_cache_read_stats(&stats);
	if (err)
		return err;
	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long ioctl_trim(void __user *arg)
{
	struct gospan_trim trim;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	trim.released_bytes = gospan_trim();
	return copy_to_user(arg, &trim, sizeof(trim)) ? -EFAULT : 0;
}

static void *file_object(struct gospan_file *f, u32 handle)
{
	lockdep_assert_held(&f->lock);
	return xa_load(&f->objects, handle);
}

/* May the file hold an object of @size bytes more, or in place of @old_bytes? */
static bool file_has_room(const struct gospan_file *f, u64 size, u64 old_bytes)
{
	lockdep_assert_held(&f->lock);
	if (size > GOSPAN_MAX_HANDLE_BYTES)
		return false;
	return f->bytes - old_bytes + gospan_size_roundup(size) <= GOSPAN_MAX_HANDLE_BYTES;
}

static bool object_valid(const struct gospan_object *o)
{
	return !(o->flags & ~GOSPAN_OBJECT_ZERO) && !o->reserved;
}

/* Any size may be asked for: that there is none does not go into the kernel's log. */
#define OBJECT_GFP	(GFP_KERNEL | __GFP_NOWARN)

static void *object_alloc(const struct gospan_object *o)
{
	bool zero = o->flags & GOSPAN_OBJECT_ZERO;
	size_t cleared = zero ? o->size : 0;
	u8 *p;

	p = zero ? gospan_zalloc(o->size, OBJECT_GFP) : gospan_alloc(o->size, OBJECT_GFP);
	/* The file may use more than what the compiler saw being asked for. */
	OPTIMIZER_HIDE_VAR(p);
	if (p)
		memset(p + cleared, 0, gospan_size(p) - cleared);
	return p;
}

static void *object_realloc(void *old, const struct gospan_object *o)
{
	bool zero = o->flags & GOSPAN_OBJECT_ZERO;
	size_t old_bytes = gospan_size(old), bytes, cleared;
	u8 *p;

	p = gospan_realloc(old, o->size, zero ? OBJECT_GFP | __GFP_ZERO : OBJECT_GFP);
	OPTIMIZER_HIDE_VAR(p);
	if (!p)
		return NULL;
	/* In place, all of its old bytes were the caller's before; it may have grown. */
	cleared = p == old ? old_bytes : min_t(size_t, old_bytes, o->size);
	if (zero)
		cleared = max_t(size_t, cleared, o->size);
	/* Under debug it has no more than it asks for, which may be less than before. */
	bytes = gospan_size(p);
	if (cleared < bytes)
		memset(p + cleared, 0, bytes - cleared);
	return p;
}

static long object_create(struct gospan_file *f, struct gospan_object *o)
{
	void *p;
	int err;

	lockdep_assert_held(&f->lock);
	if (!file_has_room(f, o->size, 0))
		return -ENOSPC;
	p = object_alloc(o);
	if (!p)
		return -ENOMEM;
	err = xa_alloc(&f->objects, &o->handle, p, XA_LIMIT(0, GOSPAN_MAX_HANDLES - 1),
		       GFP_KERNEL);
	if (err) {
		gospan_free(p);
		return err == -EBUSY ? -ENOSPC : err;
	}
	o->usable = gospan_size(p);
	f->bytes += o->usable;
	return 0;
}

static long object_destroy(struct gospan_file *f, u32 handle)
{
	void *p;

	lockdep_assert_held(&f->lock);
	p = xa_erase(&f->objects, handle);
	if (!p)
		return -ENOENT;
	f->bytes -= gospan_size(p);
	gospan_free(p);
	return 0;
}

static long object_resize(struct gospan_file *f, struct gospan_object *o)
{
	void *old = file_object(f, o->handle);
	size_t old_bytes;
	void *p;

	if (!old)
		return -ENOENT;
	old_bytes = gospan_size(old);
	if (!file_has_room(f, o->size, old_bytes))
		return -ENOSPC;
	p = object_realloc(old, o);
	if (!p)
		return -ENOMEM;
	/* Cannot fail: the handle has its place in the tree already. */
	xa_store(&f->objects, o->handle, p, GFP_KERNEL);
	o->usable = gospan_size(p);
	f->bytes = f->bytes - old_bytes + o->usable;
	return 0;
}

static int object_get(struct gospan_object *o, const void __user *arg)
{
	if (copy_from_user(o, arg, sizeof(*o)))
		return -EFAULT;
	return object_valid(o) ? 0 : -EINVAL;
}

static long ioctl_alloc(struct gospan_file *f, void __user *arg)
{
	struct gospan_object o;
	long err;

	err = object_get(&o, arg);
	if (err)
		return err;
	err = object_create(f, &o);
	if (err)
		return err;
	if (copy_to_user(arg, &o, sizeof(o))) {
		/* Nobody knows its name. */
		object_destroy(f, o.handle);
		return -EFAULT;
	}
	return 0;
}

static long ioctl_realloc(struct gospan_file *f, void __user *arg)
{
	struct gospan_object o;
	long err;

	err = object_get(&o, arg);
	if (err)
		return err;
	err = object_resize(f, &o);
	if (err)
		return err;
	return copy_to_user(arg, &o, sizeof(o)) ? -EFAULT : 0;
}

static long ioctl_free(struct gospan_file *f, void __user *arg)
{
	struct gospan_handle h;

	if (copy_from_user(&h, arg, sizeof(h)))
		return -EFAULT;
	if (h.reserved)
		return -EINVAL;
	return object_destroy(f, h.handle);
}

static long ioctl_io(struct gospan_file *f, void __user *arg, bool is_write)
{
	struct gospan_io io;
	void __user *buf;
	size_t usable;
	u8 *p;

	if (copy_from_user(&io, arg, sizeof(io)))
		return -EFAULT;
	if (io.reserved)
		return -EINVAL;
	p = file_object(f, io.handle);
	if (!p)
		return -ENOENT;
	usable = gospan_size(p);
	if (io.offset > usable || io.len > usable - io.offset)
		return -EINVAL;
	buf = u64_to_user_ptr(io.buf);
	p += array_index_nospec((size_t)io.offset, usable + 1);
	if (is_write)
		return copy_from_user(p, buf, io.len) ? -EFAULT : 0;
	return copy_to_user(buf, p, io.len) ? -EFAULT : 0;
}

static long bench_locked(struct gospan_bench *b, int nr_cpus)
{
	struct gospan_bench_cpu *results;
	long err;

	lockdep_assert_held(&bench_lock);
	results = kvcalloc(nr_cpus, sizeof(*results), GFP_KERNEL);
	if (!results)
		return -ENOMEM;
	err = gospan_bench_run(b, results);
	if (!err && copy_to_user(u64_to_user_ptr(b->results), results,
				 nr_cpus * sizeof(*results)))
		err = -EFAULT;
	kvfree(results);
	return err;
}

static long ioctl_bench(void __user *arg)
{
	struct gospan_bench b;
	int nr_cpus;
	long err;

	if (copy_from_user(&b, arg, sizeof(b)))
		return -EFAULT;
	nr_cpus = gospan_bench_check(&b);
	if (nr_cpus < 0)
		return nr_cpus;
	if (!mutex_trylock(&bench_lock))
		return -EBUSY;
	err = bench_locked(&b, nr_cpus);
	mutex_unlock(&bench_lock);
	if (err)
		return err;
	return copy_to_user(arg, &b, sizeof(b)) ? -EFAULT : 0;
}

/* A replay, which has to be alone. */
static long ioctl_replay(long (*replay)(void __user *arg), void __user *arg)
{
	long err;

	if (!mutex_trylock(&bench_lock))
		return -EBUSY;
	err = replay(arg);
	mutex_unlock(&bench_lock);
	return err;
}

static long ioctl_objects(struct gospan_file *f, unsigned int cmd, void __user *arg)
{
	lockdep_assert_held(&f->lock);
	switch (cmd) {
	case GOSPAN_IOC_ALLOC:
		return ioctl_alloc(f, arg);
	case GOSPAN_IOC_FREE:
		return ioctl_free(f, arg);
	case GOSPAN_IOC_REALLOC:
		return ioctl_realloc(f, arg);
	case GOSPAN_IOC_READ:
		return ioctl_io(f, arg, false);
	case GOSPAN_IOC_WRITE:
		return ioctl_io(f, arg, true);
	default:
		return -ENOTTY;
	}
}

static long gospan_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gospan_file *f = file->private_data;
	void __user *uarg = (void __user *)arg;
	long ret;

	switch (cmd) {
	case GOSPAN_IOC_VERSION:
		return ioctl_version(uarg);
	case GOSPAN_IOC_CLASS:
		return ioctl_class(uarg);
	case GOSPAN_IOC_MEMSTATS:
		return ioctl_memstats(uarg);
	case GOSPAN_IOC_HEAPSTATS:
		return ioctl_heapstats(uarg);
	case GOSPAN_IOC_CACHE:
		return ioctl_cache(uarg);
	case GOSPAN_IOC_TRIM:
		return ioctl_trim(uarg);
	case GOSPAN_IOC_BENCH:
		return capable(CAP_SYS_ADMIN) ? ioctl_bench(uarg) : -EPERM;
	case GOSPAN_IOC_REPLAY:
		return capable(CAP_SYS_ADMIN) ? ioctl_replay(gospan_dev_replay, uarg) : -EPERM;
	case GOSPAN_IOC_REPLAY_CPUS:
		return capable(CAP_SYS_ADMIN) ? ioctl_replay(gospan_dev_replay_cpus, uarg) : -EPERM;
	case GOSPAN_IOC_ALLOC:
	case GOSPAN_IOC_FREE:
	case GOSPAN_IOC_REALLOC:
	case GOSPAN_IOC_READ:
	case GOSPAN_IOC_WRITE:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		/* Another thread may hold it over a fault that takes for ever. */
		if (mutex_lock_killable(&f->lock))
			return -EINTR;
		ret = ioctl_objects(f, cmd, uarg);
		mutex_unlock(&f->lock);
		return ret;
	default:
		return -ENOTTY;
	}
}

static int gospan_dev_open(struct inode *inode, struct file *file)
{
	struct gospan_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	xa_init_flags(&f->objects, XA_FLAGS_ALLOC);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

static int gospan_dev_release(struct inode *inode, struct file *file)
{
	struct gospan_file *f = file->private_data;
	unsigned long handle;
	void *p;

	xa_for_each(&f->objects, handle, p) {
		gospan_free(p);
		if (!(handle % RESCHED_OBJECTS))
			cond_resched();
	}
	xa_destroy(&f->objects);
	mutex_destroy(&f->lock);
	kfree(f);
	return 0;
}

static const struct file_operations gospan_dev_fops = {
	.owner = THIS_MODULE,
	.open = gospan_dev_open,
	.release = gospan_dev_release,
	.unlocked_ioctl = gospan_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice gospan_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gospan",
	.fops = &gospan_dev_fops,
	.mode = 0600,
};

int gospan_dev_init(void)
{
	return misc_register(&gospan_dev);
}

void gospan_dev_exit(void)
{
	misc_deregister(&gospan_dev);
}
