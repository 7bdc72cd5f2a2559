/* SPDX-License-Identifier: MIT */
/*
 * session.cc - feeds handshake and transmission as a client would, and compares
 * the replies with those of a reference that reads the same bytes in one go.
 */
#include "apps/nbd_server/fuzz/session.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "aiox/assert.h"
#include "apps/nbd_server/fuzz/reference.h"
#include "apps/nbd_server/handshake.h"
#include "apps/nbd_server/test/golden.h"
#include "apps/nbd_server/transmission.h"

namespace nbd_fuzz
{
namespace
{

constexpr size_t kInBytes = 16 << 10; /* holds an option */

void Open(export_list *list, const char *name, bool read_only)
{
    export_spec spec = {};

    spec.name = name;
    spec.source = "memory:64k";
    spec.read_only = read_only;
    spec.description = read_only ? "of old" : nullptr;

    aiox_assert(export_list_open(list, nullptr, &spec, nullptr) == 0);
}

/* Opened once: a hundred thousand mappings would take longer than the rest. */
const export_list *Exports()
{
    static export_list list = [] {
        export_list made = {};

        Open(&made, "disk", false);
        Open(&made, "tape", true);
        Open(&made, "", false);
        export_list_choose_default(&made);
        return made;
    }();

    return &list;
}

/* As if nothing had ever been written. */
void Erase(nbd_export *e)
{
    export_io io = {};

    io.bytes = kDisk;
    io.done = [](export_io *, int result) { aiox_assert(result == 0); };
    e->ops->trim(e, &io);
}

class Client
{
  public:
    explicit Client(const std::string &input)
        : how_(input.empty() ? 0 : static_cast<uint8_t>(input[0])),
          input_(input.substr(std::min<size_t>(1, input.size())))
    {
    }

    void Live()
    {
        static const dialect kDialects[] = {{REPLIES_SIMPLE, false},
                                            {REPLIES_STRUCTURED, true},
                                            {REPLIES_EXTENDED, true},
                                            {REPLIES_EXTENDED, false}};

        if (how_ & 32) {
            Transmit(Exports()->first, kDialects[how_ >> 6]);
        } else if (nbd_export *chosen = Greet()) {
            Transmit(chosen, agreed_);
        }
    }

  private:
    size_t Piece() const
    {
        return (how_ & 15) == 0 ? SIZE_MAX : (how_ & 15) * (how_ & 15);
    }

    /* The next bytes of the client; 0: it has no more. */
    size_t Receive(uint8_t *to, size_t room)
    {
        size_t n = std::min({Piece(), room, input_.size() - at_});

        memcpy(to, input_.data() + at_, n);
        at_ += n;
        return n;
    }

    /* Every reply is framed as its header says. */
    static void CheckFrames(const std::string &sent, bool first)
    {
        size_t at = first ? 18 : 0;

        aiox_assert(!first || sent.compare(0, at, golden::Greeting()) == 0);
        while (at < sent.size()) {
            aiox_assert(sent.size() - at >= 20 && Number(sent, at, 8) == 0x0003e889045565a9);
            at += 20 + Number(sent, at + 16, 4);
        }
        aiox_assert(at == sent.size());
    }

    nbd_export *Greet()
    {
        std::vector<uint8_t> out_memory(HANDSHAKE_OUT_BYTES);
        bytes out = {out_memory.data(), out_memory.size(), 0, 0};
        std::string sent;
        bool first = true;
        handshake h;

        handshake_start(&h, Exports(), kLimits.request_bytes, &out);
        for (;;) {
            handshake_verdict verdict = handshake_step(&h, &in_, &out);

            sent.assign(reinterpret_cast<const char *>(bytes_front(&out)), bytes_held(&out));
            bytes_take(&out, bytes_held(&out));
            if (verdict == HANDSHAKE_SERVE) { /* the answer to NBD_OPT_EXPORT_NAME has no frame */
                agreed_ = h.dialect;
                return h.chosen;
            }
            CheckFrames(sent, first);
            first = false;
            if (verdict == HANDSHAKE_HUNGRY) {
                size_t n = Receive(bytes_back(&in_), bytes_room(&in_));

                if (n == 0) {
                    return nullptr;
                }
                bytes_put(&in_, n);
            } else if (verdict == HANDSHAKE_END || verdict == HANDSHAKE_BROKEN) {
                return nullptr;
            }
        }
    }

    bool ReceiveRequests(transmission *t)
    {
        iovec iov[2];
        int n = transmission_input(t, iov);
        size_t got = 0;

        for (int i = 0; i < n; i++) {
            size_t some = Receive(static_cast<uint8_t *>(iov[i].iov_base), iov[i].iov_len);

            got += some;
            if (some < iov[i].iov_len) {
                break;
            }
        }
        if (got > 0) {
            transmission_received(t, got);
        }
        aiox_assert(t->requests <= kLimits.requests);
        aiox_assert(t->payload_bytes <= kLimits.payload_bytes);
        return got > 0;
    }

    bool SendReplies(transmission *t)
    {
        iovec iov[3];
        int n = transmission_output(t, iov, 3);
        size_t most = how_ & 16 ? 7 : SIZE_MAX, some = 0;

        for (int i = 0; i < n && some < most; i++) {
            size_t take = std::min(iov[i].iov_len, most - some);

            sent_.append(static_cast<char *>(iov[i].iov_base), take);
            some += take;
        }
        transmission_sent(t, some);
        transmission_continue(t);
        return some > 0;
    }

    void Transmit(nbd_export *e, const dialect &how)
    {
        transmission_service service = {e, how};
        std::string all(reinterpret_cast<const char *>(bytes_front(&in_)), bytes_held(&in_));
        transmission_stats stats = {};
        transmission_host host = {};
        transmission t;
        pool blocks;

        all += input_.substr(at_);
        Erase(e);
        pool_init(&blocks, sizeof(request), POOL_KEEP_BYTES);
        host.pool = &blocks;
        host.stats = &stats;
        host.limits = &kLimits;
        host.ended = [](void *) { aiox_panic("memory ends at once"); };
        host.failed = [](void *, const request *, int) { aiox_panic("memory does not fail"); };
        transmission_start(&t, &host, nullptr, &service, &in_);
        transmission_continue(&t);
        for (bool moving = true; moving;) {
            moving = ReceiveRequests(&t);
            moving |= SendReplies(&t);
        }
        transmission_no_more_input(&t, true);
        while (SendReplies(&t)) {
        }
        aiox_assert(transmission_is_over(&t));
        aiox_assert(Wordless(sent_, how) == Expected(all, how, e->read_only));
        transmission_fini(&t);
        pool_fini(&blocks);
    }

    uint8_t how_;
    std::string input_;
    size_t at_ = 0;
    std::string sent_;
    dialect agreed_ = {};
    std::vector<uint8_t> memory_ = std::vector<uint8_t>(kInBytes);
    bytes in_ = {memory_.data(), memory_.size(), 0, 0};
};

} // namespace

void Session(const std::string &input)
{
    Client(input).Live();
}

std::vector<std::string> Seeds()
{
    using namespace golden;
    const std::string agree =
        Option(8) + ListMeta("disk", {"base:"}) + SetMeta("disk", {"x:y", "base:allocation"});
    const std::string greet = ClientFlags(3) + Info("disk", {1, 2, 3}) + agree + Option(3);
    const std::string work = Write(1, 4096, "first") + Read(2, 4090, 20) + Flush(3) +
                             Write(4, 0, std::string(600, 'w'), 1) + Read(5, 0, 700, 1);
    const std::string space = Request(6, 1, 100, 9000) + Request(7, 2, 0, 65536) +
                              Read(2, 100, 40000) + Request(4, 3, 4000, 9000, 1) +
                              Request(7, 4, 5, 9000, 8) + Request(5, 5, 0, 16384) +
                              Request(6, 6, 0, 5000, 2 | 16) + Read(7, 0, 8000, 4);
    const std::string bad = Read(1, 65536, 1) + Write(2, 65532, "outside") + Request(9, 3, 0, 0) +
                            Read(4, 0, 49153) + Read(5, 0xfffffffffffffff0, 64) +
                            Request(3, 6, 1, 1) + Read(7, 0, 0) + Request(7, 8, 0, 0) +
                            Request(6, 9, 65535, 2) + Request(4, 10, UINT64_MAX, 2);
    const std::string filter = Bytes().U64(9000).U32(1);
    const std::string wide = ExtWrite(1, 4096, std::string(600, 'w')) +
                             ExtRequest(0, 2, 4000, 900) + ExtRequest(7, 3, 0, 65536) +
                             ExtRequest(0, 3, 5000, 45000) + ExtRequest(7, 4, 1, 12, 32, filter) +
                             ExtRequest(6, 5, 0, 9000, 1) + ExtRequest(4, 6, 0, 16384) +
                             ExtRequest(3, 7, 0, 4, 32, "data") + ExtRequest(0, 8, 0, UINT64_MAX) +
                             ExtRequest(7, 9, 0, 3, 32, "odd") + ExtRequest(5, 10, 0, 1);

    return {
        std::string("\0", 1) + greet + Go("disk", {1}) + work + space + Disc(),
        "\x01" + greet + Go("tape") + work + bad,
        "\x13" + ClientFlags(1) + Option(1, "") + bad + work + work,
        "\x22" + work + bad + space + work + Disc() + work,
        "\x30" + bad + work + Request(1, 8, 0, 0xffffffff, 0, "x"),
        "\x62" + space + work + bad + space,
        "\xa2" + wide + wide,
        "\xe7" + wide + ExtRequest(1, 11, 0, 4, 0, "none"),
        "\x03" + ClientFlags(3) + Option(11) + agree + Go("disk") + wide + Disc(),
        "\x02" + ClientFlags(3) + Go("no such") + Option(7, "bad") + Option(5) + Option(2),
        "\x07" + ClientFlags(3) + OptionSaying(999, 0xffffffff, "x"),
        std::string("\0", 1) + ClientFlags(3) + Option(999, std::string(3000, 'z')) + Go(""),
    };
}

} // namespace nbd_fuzz
