/* The guest's side of the bench: for each line on the console, the name of a program in /bench, it
 * runs the program between two lines of its own. The host takes the time between them; the guest's
 * clock in them counts instructions when steps are counted. At the end of input it powers off. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The line is on the wire when this returns: its transmission is no part of what follows. */
static void say(const char *what, const char *name, int status)
{
    char line[128];
    int length =
        snprintf(line, sizeof line, "bench: %s %s %d %" PRIu64 "\n", what, name, status, now_ns());
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
    tcdrain(STDOUT_FILENO);
}

static int run(const char *name)
{
    char path[128];
    int status;
    snprintf(path, sizeof path, "/bench/%s", name);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        execl(path, name, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void quiet_console(void)
{
    struct termios t;
    if (tcgetattr(STDIN_FILENO, &t))
        return;
    t.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

int main(void)
{
    char name[64];
    unsigned seed;
    quiet_console();
    /* Waits until the kernel has gathered entropy, lest the first program that asks for some does.
     */
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return 1;
    say("ready", "-", 0);
    while (fgets(name, sizeof name, stdin)) {
        name[strcspn(name, "\r\n")] = '\0';
        if (strcmp(name, "off") == 0)
            break;
        say("begin", name, 0);
        say("end", name, run(name));
    }
    reboot(RB_POWER_OFF);
    return 0;
}
