/* Packets of gdb's remote protocol: framing, acks, escapes; numbers and bytes in them. */
#include "debug/gdb_packet.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    struct gdb_packets p;
    char taken[GDB_PACKET_MOST + 1]; /* the last packet */
    size_t taken_n;
    unsigned packets, interrupts;
    const char *answer; /* NULL: none at once */
    char got[4 * GDB_PACKET_MOST];
    size_t got_n;
};

static void take(void *owner, const char *data, size_t n)
{
    struct peer *peer = owner;
    memcpy(peer->taken, data, n + 1);
    peer->taken_n = n;
    peer->packets++;
    if (!peer->answer)
        return;
    gdb_reply_begin(&peer->p);
    gdb_reply_text(&peer->p, peer->answer);
    gdb_reply_send(&peer->p);
}

static void interrupt(void *owner)
{
    struct peer *peer = owner;
    peer->interrupts++;
}

static void get(void *owner, const uint8_t *bytes, size_t n)
{
    struct peer *peer = owner;
    ck_assert_uint_lt(peer->got_n + n, sizeof peer->got);
    memcpy(peer->got + peer->got_n, bytes, n);
    peer->got_n += n;
    peer->got[peer->got_n] = 0;
}

static struct peer *peer_create(void)
{
    struct peer *peer = calloc(1, sizeof *peer);
    ck_assert_ptr_nonnull(peer);
    peer->p.out.write = get;
    peer->p.take = take;
    peer->p.interrupt = interrupt;
    peer->p.owner = peer->p.out.owner = peer;
    return peer;
}

/* What comes back for these bytes. */
static const char *give(struct peer *peer, const char *bytes)
{
    peer->got_n = 0;
    peer->got[0] = 0;
    gdb_packets_receive(&peer->p, (const uint8_t *)bytes, strlen(bytes));
    return peer->got;
}

START_TEST(a_packet_is_taken_and_the_ack_goes_with_the_reply)
{
    struct peer *peer = peer_create();
    ck_assert_str_eq(give(peer, "$qC#b4"), "+");
    ck_assert_str_eq(peer->taken, "qC");
    peer->answer = "OK";
    ck_assert_str_eq(give(peer, "$qC#b4"), "+$OK#9a");
    ck_assert_str_eq(give(peer, "$qC#B4"), "+$OK#9a");
    ck_assert_str_eq(give(peer, "$#00"), "+$OK#9a");
    ck_assert_uint_eq(peer->taken_n, 0);
    peer->answer = "";
    ck_assert_str_eq(give(peer, "$x#78"), "+$#00");
    free(peer);
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
    struct peer *peer = peer_create();
    const char *text = "+$g#67";
    for (; *text; text++) {
        char one[2] = {*text, 0};
        ck_assert_uint_eq(peer->packets, 0);
        give(peer, one);
    }
    ck_assert_str_eq(peer->got, "+");
    ck_assert_str_eq(peer->taken, "g");
    free(peer);
}
END_TEST

START_TEST(a_wrong_checksum_is_refused)
{
    struct peer *peer = peer_create();
    ck_assert_str_eq(give(peer, "$qC#b5"), "-");
    ck_assert_str_eq(give(peer, "$qC#zz"), "-");
    ck_assert_str_eq(give(peer, "$qC#b-"), "-");
    ck_assert_uint_eq(peer->packets, 0);
    ck_assert_str_eq(give(peer, "$qC#b4"), "+");
    free(peer);
}
END_TEST

START_TEST(without_acks_none_are_sent)
{
    struct peer *peer = peer_create();
    peer->p.no_acks = true;
    ck_assert_str_eq(give(peer, "$qC#b4"), "");
    ck_assert_str_eq(give(peer, "$qC#b5"), "");
    ck_assert_uint_eq(peer->packets, 1);
    gdb_packets_reset(&peer->p);
    ck_assert_str_eq(give(peer, "$qC#b4"), "+");
    free(peer);
}
END_TEST

START_TEST(a_reply_that_did_not_arrive_is_sent_again)
{
    struct peer *peer = peer_create();
    ck_assert_str_eq(give(peer, "-"), "");
    peer->answer = "E01";
    give(peer, "$qC#b4");
    ck_assert_str_eq(give(peer, "--+"), "$E01#a6$E01#a6");
    ck_assert_str_eq(give(peer, "+++"), "");
    free(peer);
}
END_TEST

START_TEST(ctrl_c_counts_between_packets_alone)
{
    struct peer *peer = peer_create();
    give(peer, "\003");
    ck_assert_uint_eq(peer->interrupts, 1);
    give(peer, "$X\003#5b");
    ck_assert_uint_eq(peer->interrupts, 1);
    ck_assert_str_eq(peer->taken, "X\003");
    free(peer);
}
END_TEST

START_TEST(escapes_are_taken_off_and_put_on)
{
    struct peer *peer = peer_create();
    static const char binary[] = {'#', '$', '}', '*', 'a', 0};
    give(peer, "$}\003}\004}]}\n#62"); /* the sum is that of the bytes as they are sent */
    ck_assert_str_eq(peer->taken, "#$}*");
    gdb_reply_begin(&peer->p);
    gdb_reply_binary(&peer->p, binary, sizeof binary);
    peer->got_n = 0;
    gdb_reply_send(&peer->p);
    static const char framed[] = "$}\003}\004}]}\na\0#c3";
    ck_assert_uint_eq(peer->got_n, sizeof framed - 1);
    ck_assert_mem_eq(peer->got, framed, sizeof framed - 1);
    free(peer);
}
END_TEST

START_TEST(a_packet_that_lost_its_end_gives_way_to_the_next)
{
    struct peer *peer = peer_create();
    ck_assert_str_eq(give(peer, "$qSup$qC#b4"), "+");
    ck_assert_str_eq(peer->taken, "qC");
    free(peer);
}
END_TEST

START_TEST(a_packet_that_is_too_long_is_an_error)
{
    struct peer *peer = peer_create();
    unsigned sum = 0;
    gdb_packets_receive(&peer->p, (const uint8_t *)"$", 1);
    for (unsigned i = 0; i <= GDB_PACKET_MOST; i++, sum += 'a')
        gdb_packets_receive(&peer->p, (const uint8_t *)"a", 1);
    char end[8];
    snprintf(end, sizeof end, "#%02x", sum & 0xff);
    ck_assert_str_eq(give(peer, end), "+$E22#a9");
    ck_assert_uint_eq(peer->packets, 0);
    ck_assert_str_eq(give(peer, "$qC#b4"), "+");
    free(peer);
}
END_TEST

START_TEST(a_reply_that_is_too_long_is_cut)
{
    struct peer *peer = peer_create();
    static uint8_t bytes[3 * GDB_PACKET_MOST];
    memset(bytes, '$', sizeof bytes);
    gdb_reply_begin(&peer->p);
    gdb_reply_binary(&peer->p, bytes, sizeof bytes);
    gdb_reply_send(&peer->p);
    ck_assert_uint_le(peer->got_n, sizeof peer->p.reply);
    ck_assert_uint_gt(peer->got_n, 2 * GDB_PACKET_MOST);
    ck_assert_int_eq(peer->got[peer->got_n - 3], '#');
    ck_assert_uint_eq((peer->got_n - 4) % 2, 0); /* no escape is cut */
    free(peer);
}
END_TEST

START_TEST(numbers_and_bytes_are_read_to_their_ends)
{
    uint64_t value;
    uint8_t bytes[2];
    const char *text = "1F,ffffffffffffffff,g,10000000000000000";
    struct gdb_text t = {text, text + strlen(text)};
    ck_assert(gdb_take_number(&t, &value) && value == 0x1f);
    ck_assert(!gdb_take(&t, ";") && gdb_take(&t, ","));
    ck_assert(gdb_take_number(&t, &value) && value == UINT64_MAX);
    ck_assert(gdb_take(&t, ",") && !gdb_take_number(&t, &value));
    ck_assert(gdb_take(&t, "g,") && !gdb_take_number(&t, &value));
    text = "01aFf";
    t = (struct gdb_text){text, text + 5};
    ck_assert(!gdb_take_bytes(&t, bytes, 3));
    ck_assert(gdb_take_bytes(&t, bytes, 2));
    ck_assert_uint_eq(bytes[0] << 8 | bytes[1], 0x01af);
    ck_assert_uint_eq(gdb_left(&t), 1);
    ck_assert(!gdb_take_bytes(&t, bytes, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb_packet");
    TCase *tests = tcase_create("gdb_packet");
    tcase_add_test(tests, a_packet_is_taken_and_the_ack_goes_with_the_reply);
    tcase_add_test(tests, bytes_may_come_one_by_one);
    tcase_add_test(tests, a_wrong_checksum_is_refused);
    tcase_add_test(tests, without_acks_none_are_sent);
    tcase_add_test(tests, a_reply_that_did_not_arrive_is_sent_again);
    tcase_add_test(tests, ctrl_c_counts_between_packets_alone);
    tcase_add_test(tests, escapes_are_taken_off_and_put_on);
    tcase_add_test(tests, a_packet_that_lost_its_end_gives_way_to_the_next);
    tcase_add_test(tests, a_packet_that_is_too_long_is_an_error);
    tcase_add_test(tests, a_reply_that_is_too_long_is_cut);
    tcase_add_test(tests, numbers_and_bytes_are_read_to_their_ends);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
