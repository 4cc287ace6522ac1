/* `rivulet snapshot`: what is in a saved machine's file. */
#ifndef RIVULET_FRONTEND_SNAPSHOT_COMMAND_H
#define RIVULET_FRONTEND_SNAPSHOT_COMMAND_H

/* argv[0] is "snapshot". Returns the exit status. */
int snapshot_main(int argc, char **argv);

#endif
