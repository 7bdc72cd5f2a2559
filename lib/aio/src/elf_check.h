/* SPDX-License-Identifier: MIT */
/*
 * elf_check.h - judges a plugin by its file, before any code of it runs.
 */
#ifndef AIOX_AIO_SRC_ELF_CHECK_H_
#define AIOX_AIO_SRC_ELF_CHECK_H_

#include "aiox/attributes.h"
#include "aiox/backend.h"

/*
 * Reads the file @path, which is resolved, and looks whether it is a backend
 * called @name that the dynamic loader of this process can open without harm.
 * Devices and FIFOs are not touched. *@out ends its name and version with NUL.
 * 0, or a negative errno with the reason in @r.
 */
AIOX_NODISCARD int elf_check_(struct aiox_fdmon_note *out, const char *path, const char *name,
                              struct aiox_backend_report *r);

#endif /* AIOX_AIO_SRC_ELF_CHECK_H_ */
