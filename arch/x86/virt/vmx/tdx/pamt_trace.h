/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tdx

#if !defined(_X86_VIRT_PAMT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _X86_VIRT_PAMT_TRACE_H

#include <linux/tracepoint.h>

/* One SEAMCALL, so a busy module shows as several events in a row. */
DECLARE_EVENT_CLASS(tdx_pamt,
		    TP_PROTO(u64 pa, u64 page0, u64 page1, u64 status),
		    TP_ARGS(pa, page0, page1, status),
		    TP_STRUCT__entry(__field(u64, pa)
				     __field(u64, page0)
				     __field(u64, page1)
				     __field(u64, status)),
		    TP_fast_assign(__entry->pa = pa;
				   __entry->page0 = page0;
				   __entry->page1 = page1;
				   __entry->status = status;),
		    TP_printk("region 0x%llx pages 0x%llx 0x%llx status 0x%016llx",
			      __entry->pa, __entry->page0, __entry->page1,
			      __entry->status));

DEFINE_EVENT(tdx_pamt, tdx_pamt_add,
	     TP_PROTO(u64 pa, u64 page0, u64 page1, u64 status),
	     TP_ARGS(pa, page0, page1, status));

/* The pages are 0 if there are none to return. */
DEFINE_EVENT(tdx_pamt, tdx_pamt_remove,
	     TP_PROTO(u64 pa, u64 page0, u64 page1, u64 status),
	     TP_ARGS(pa, page0, page1, status));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE pamt_trace

#include <trace/define_trace.h>
