// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard pages: pages of the direct map that can be hidden, so that who touches one
 * is found out.
 *
 * The direct map is of large pages. The kernel splits one when a part of it is to be
 * cached otherwise, which is what drivers may ask for; then each page has an entry of
 * its own, and lookup_address() says which.
 *
 * The CPU that hides a page forgets at once what it knew of it, but for what it knew
 * as another process, where page tables are apart. Others may go on for a while, and are
 * not found out.
 *
 * A page fault that nobody expected ends in kfence_handle_page_fault(), where KFENCE is
 * built in, whether it is on or not. A probe there sends those about our pages to us.
 * Without KFENCE or probes, or on other machines than x86-64, there are no guard pages.
 * Nobody comes there who expected a fault, as copy_to_user() does; and where the probe is
 * passed by, in another's handler or with probes off, the kernel says oops.
 *
 * KFENCE has its pages split at boot, and is called by name.
 */
#include <linux/errno.h>
#include "guard_pages.h"

struct gospan_guard_pages gospan_guard_pages;

#if GOSPAN_GUARD_PAGES

#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <asm/cpufeature.h>
#include <asm/set_memory.h>

static gospan_guard_fault_fn guard_fault;

/* In place of kfence_handle_page_fault(): the access is tried again. */
static bool fault_handle(unsigned long addr, bool write, struct pt_regs *regs)
{
	guard_fault(addr, write, instruction_pointer(regs));
	return true;
}

static int fault_redirect(struct kprobe *probe, struct pt_regs *regs)
{
	if (!gospan_guard_pages_have((void *)regs_get_kernel_argument(regs, 0)))
		return 0;
	instruction_pointer_set(regs, (unsigned long)fault_handle);
	return 1;
}

NOKPROBE_SYMBOL(fault_redirect);

/* A probe that has this is not made a jump, after which nobody could be sent elsewhere. */
static void fault_redirected(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe fault_probe;

/* Each page with an entry of its own. Task; sleeps. */
static int pages_split(unsigned long addr, unsigned long limit)
{
	unsigned int level;
	int err;

	for (; addr < limit; addr += PAGE_SIZE) {
		if (!lookup_address(addr, &level))
			return -EOPNOTSUPP;
		if (level == PG_LEVEL_4K)
			continue;
		err = set_memory_uc(addr, 1);
		if (!err)
			err = set_memory_wb(addr, 1);
		if (err)
			return err;
		if (!lookup_address(addr, &level) || level != PG_LEVEL_4K)
			return -EOPNOTSUPP;
	}
	return 0;
}

static void page_set_present(unsigned long addr, pteval_t present)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);
	pteval_t old = pte_val(READ_ONCE(*pte)), new = (old & ~(pteval_t)_PAGE_PRESENT) | present;

	/* Not even in speculation is a hidden page to be found. */
	set_pte(pte, __pte(flip_protnone_guard(old, new, PTE_PFN_MASK)));
}

/**
 * gospan_guard_page_hide() - have accesses to a page found out
 * @addr: of the page, one of gospan_guard_pages
 *
 * Context: Any.
 */
void gospan_guard_page_hide(unsigned long addr)
{
	/* On the CPU that is told to forget it. */
	preempt_disable();
	page_set_present(addr, 0);
	asm volatile("invlpg (%0)" : : "r" (addr) : "memory");
	preempt_enable();
}

/**
 * gospan_guard_page_show() - the opposite, for one that may be hidden
 * @addr: of the page, one of gospan_guard_pages
 *
 * Context: Any.
 */
void gospan_guard_page_show(unsigned long addr)
{
	page_set_present(addr, _PAGE_PRESENT);
}

/**
 * gospan_guard_pages_open() - get pages that can be hidden
 * @n: how many, all in a row
 * @fault: who is told
 *
 * Context: Task; sleeps.
 * Return: 0, all are shown and zeros; -EOPNOTSUPP or another error: they cannot be had
 * on this kernel; -ENOMEM; -EBUSY: somebody has them.
 */
int gospan_guard_pages_open(unsigned int n, gospan_guard_fault_fn fault)
{
	unsigned long bytes = n * PAGE_SIZE;
	void *pages;
	int err;

	if (gospan_guard_pages.bytes)
		return -EBUSY;
	/* A guest of Xen's may not tell its CPU to forget. */
	if (boot_cpu_has(X86_FEATURE_XENPV))
		return -EOPNOTSUPP;
	pages = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	guard_fault = fault;
	err = pages_split((unsigned long)pages, (unsigned long)pages + bytes);
	if (err)
		goto err_free;
	fault_probe = (struct kprobe){
		.symbol_name = "kfence_handle_page_fault",
		.pre_handler = fault_redirect,
		.post_handler = fault_redirected,
	};
	err = register_kprobe(&fault_probe);
	if (err)
		goto err_free;
	gospan_guard_pages = (struct gospan_guard_pages){
		.addr = (unsigned long)pages,
		.bytes = bytes,
	};
	return 0;

err_free:
	free_pages_exact(pages, bytes);
	return err;
}

/* Nobody has anything in them, or should have. Task; sleeps. */
void gospan_guard_pages_close(void)
{
	unsigned long addr = gospan_guard_pages.addr, bytes = gospan_guard_pages.bytes, i;

	if (!bytes)
		return;
	for (i = 0; i < bytes; i += PAGE_SIZE)
		gospan_guard_page_show(addr + i);
	/* A fault that is under way, with interrupts off, comes to us still. */
	synchronize_rcu();
	gospan_guard_pages = (struct gospan_guard_pages){};
	unregister_kprobe(&fault_probe);
	free_pages_exact((void *)addr, bytes);
}

#else

int gospan_guard_pages_open(unsigned int n, gospan_guard_fault_fn fault)
{
	return -EOPNOTSUPP;
}

void gospan_guard_pages_close(void)
{
}

void gospan_guard_page_hide(unsigned long addr)
{
}

void gospan_guard_page_show(unsigned long addr)
{
}

#endif
