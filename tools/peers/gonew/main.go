// SPDX-License-Identifier: GPL-2.0-only

// The allocations of gospan bench by Go's new, in cycles of the time stamp
// counter, as JSON. Go clears what it allocates, and does not free: the
// collector is off while allocations are timed ("alloc"), and what a collection
// of n dead objects takes afterwards, by object, stands apart ("collect").
package main

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
)

const (
	rounds  = 30
	objects = 8192
)

func ticks() uint64

// What an empty loop stores, and where objects stay reachable.
var (
	nothing byte
	bytes   [objects]*byte
)

//go:noinline
func emptyNew() *byte { return &nothing }

func timeEmpty() uint64 {
	begin := ticks()
	for i := range bytes {
		bytes[i] = emptyNew()
	}
	return ticks() - begin
}

// The pointers are kept, so that the objects cannot be on the stack.
func timeNew[T any](kept []*T) uint64 {
	begin := ticks()
	for i := range kept {
		kept[i] = new(T)
	}
	return ticks() - begin
}

func timeCollection() uint64 {
	begin := ticks()
	runtime.GC()
	return ticks() - begin
}

func smaller(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}

var comma = ""

func row(operation string, size int, ticks float64) {
	fmt.Printf("%s\n  {\"workload\": \"batch\", \"operation\": \"%s\", \"size_bytes\": %d, "+
		"\"objects\": %d, \"net_ticks_per_op\": %.2f}", comma, operation, size, objects, ticks)
	comma = ","
}

func run[T any](size int) {
	kept := make([]*T, objects)
	var empty, alloc, full, idle uint64 = math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64

	for i := 0; i <= rounds; i++ {
		e, a := timeEmpty(), timeNew(kept)
		for j := range kept {
			kept[j] = nil
		}
		// The second has nothing to do: it is what any collection takes.
		f, d := timeCollection(), timeCollection()
		if i > 0 {
			empty, alloc = smaller(empty, e), smaller(alloc, a)
			full, idle = smaller(full, f), smaller(idle, d)
		}
	}
	row("alloc", size, (float64(alloc)-float64(empty))/objects)
	row("collect", size, (float64(full)-float64(idle))/objects)
}

func main() {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	fmt.Printf("{\"allocator\": \"%s new\", \"results\": [", runtime.Version())
	run[[1]*byte](8)
	run[[8]*byte](64)
	run[[128]*byte](1024)
	run[[512]*byte](4096)
	fmt.Println("\n]}")
}
