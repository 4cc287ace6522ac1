/* `rivulet exec`: its command line. */
#ifndef RIVULET_FRONTEND_EXEC_H
#define RIVULET_FRONTEND_EXEC_H

/* argv[0] is "exec". The program's exit status. */
int exec_main(int argc, char **argv);

#endif
