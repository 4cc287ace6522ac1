/* -device loader (contract: loads.h), as QEMU's generic loader (docs/system/generic-loader.rst). */
#include "machine/loads.h"

#include "base/values.h"
#include "machine/properties.h"

#define DATA_MOST_BYTES 8u

static const struct property_rule rules[] = {
    {"driver", NULL},   {"file", NULL},    {"addr", NULL},      {"cpu-num", NULL}, {"data", NULL},
    {"data-len", NULL}, {"data-be", NULL}, {"force-raw", NULL}, {NULL, NULL},
};

/* What one of them asks for. */
struct request {
    const char *file; /* NULL: none */
    bool has_address, has_data, has_hart, data_is_big_endian, force_raw;
    uint64_t address, data, data_bytes, hart;
};

bool loads_is_one(const struct machine_option *option)
{
    const char *driver = option_text(option, "driver");
    return driver && strcmp(driver, "loader") == 0;
}

bool loads_list_properties(const char *name, const struct byte_sink *out)
{
    if (strcmp(name, "loader") != 0)
        return false;
    byte_sink_print(out, "loader options:\n");
    properties_list(rules + 1, out); /* the first is what it is called by */
    return true;
}

/* All 64 bits, as no property of a device has them. */
static bool read_number(const struct properties *p, const char *name, bool *is_there,
                        uint64_t *value, struct error *err)
{
    const char *text = properties_text(p, name);
    *is_there = text != NULL;
    return !text || value_number(text, value) ||
           error_set(err, "%s=%.80s is no number; give for example 0x80200000", name, text);
}

static bool read_request(const struct properties *p, struct request *r, struct error *err)
{
    bool has_length;
    for (unsigned i = 0; i < p->option->count; i++)
        if (!property_check(&p->option->items[i], rules, err))
            return false;
    *r = (struct request){.file = properties_text(p, "file")};
    return read_number(p, "addr", &r->has_address, &r->address, err) &&
           read_number(p, "data", &r->has_data, &r->data, err) &&
           read_number(p, "data-len", &has_length, &r->data_bytes, err) &&
           read_number(p, "cpu-num", &r->has_hart, &r->hart, err) &&
           properties_switch(p, "data-be", &r->data_is_big_endian, err) &&
           properties_switch(p, "force-raw", &r->force_raw, err);
}

static bool check_request(const struct machine *m, const struct request *r, struct error *err)
{
    if (r->file && (r->has_data || r->data_bytes))
        return error_set(err, "give either file= or data= and data-len=");
    if (r->has_data != (r->data_bytes != 0) || r->data_bytes > DATA_MOST_BYTES)
        return error_set(err, "data= needs data-len= of 1 to %u bytes, and the other way round",
                         DATA_MOST_BYTES);
    if (!r->file && !r->has_address)
        return error_set(err, "give file=FILE, or addr= with data= or cpu-num=");
    if (!r->file && !r->has_data && !r->has_hart)
        return error_set(err, "an address alone does nothing: give file=, data= or cpu-num=");
    if (!r->has_hart)
        return true;
    if (r->hart >= m->config.harts)
        return error_set(err, "cpu-num=%llu: there are %u harts, from 0 on",
                         (unsigned long long)r->hart, m->config.harts);
    return m->config.bios != BIOS_BUILT_IN || r->hart == 0 ||
           error_set(err,
                     "cpu-num=%llu: the built-in SBI starts hart 0, and that one the others; "
                     "give -bios none",
                     (unsigned long long)r->hart);
}

static bool run_request(struct machine *m, struct loader *l, const struct request *r,
                        struct load_starts *starts, struct error *err)
{
    uint8_t bytes[DATA_MOST_BYTES];
    uint64_t entry = r->address;
    if (!check_request(m, r, err))
        return false;
    if (r->file &&
        !load_file(l, r->file, r->has_address ? &r->address : NULL, r->force_raw, &entry, err))
        return false;
    for (unsigned i = 0; i < r->data_bytes; i++)
        bytes[r->data_is_big_endian ? r->data_bytes - 1 - i : i] = (uint8_t)(r->data >> (8 * i));
    if (r->has_data && !load_bytes(l, r->address, bytes, r->data_bytes, err))
        return false;
    if (r->has_hart)
        starts->pc[r->hart] = entry;
    return true;
}

bool loads_run(struct machine *m, struct loader *l, struct load_starts *starts, struct error *err)
{
    *starts = (struct load_starts){{0}};
    for (unsigned i = 0; i < m->config.devices.count; i++) {
        struct properties p = {.option = &m->config.devices.items[i]};
        struct request r;
        struct error why;
        if (loads_is_one(p.option) &&
            !(read_request(&p, &r, &why) && run_request(m, l, &r, starts, &why)))
            return error_set(err, "-device loader: %.480s", why.text);
    }
    return true;
}
