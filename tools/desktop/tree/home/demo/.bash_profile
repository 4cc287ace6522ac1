# On the screen X is started, once; elsewhere this is a shell as any.
if [ "$(tty)" = /dev/tty1 ]; then
    exec startx >.xsession-log 2>&1
fi
