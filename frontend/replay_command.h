/* `rivulet replay`: what is done with recordings. */
#ifndef RIVULET_FRONTEND_REPLAY_COMMAND_H
#define RIVULET_FRONTEND_REPLAY_COMMAND_H

/* argv[0] is "replay". Returns the exit status: 1 too when --bisect finds a difference. */
int replay_main(int argc, char **argv);

#endif
