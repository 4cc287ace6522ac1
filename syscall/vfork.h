/* vfork: a parent waits for its child, and has what the child wrote. */
#ifndef RIVULET_SYSCALL_VFORK_H
#define RIVULET_SYSCALL_VFORK_H

#include "syscall/process.h"

/* What joins the two: the parent's end and the child's, closed by execve. */
bool vfork_link(int ends[2]) MUST_CHECK;
/* In the child, when it has ended or is about to lose its memory: sends what space_note_stores
 * noted. Nothing if it is no child of a vfork. */
void vfork_tell(struct process *p);
/* In the parent: until the child's end is closed. Closes its own. */
void vfork_wait(struct process *p, int fd);

#endif
