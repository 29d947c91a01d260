/* SPDX-License-Identifier: GPL-2.0-only */
#undef CONFIG_XARRAY_MULTI
