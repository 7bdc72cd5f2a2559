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
#include "apps/nbd_server/handshake.h"
#include "apps/nbd_server/test/golden.h"
#include "apps/nbd_server/transmission.h"

namespace nbd_fuzz
{
namespace
{

constexpr uint64_t kDisk = 16 << 10;
constexpr transmission_limits kLimits = {8 << 10, 4, 12 << 10};
constexpr size_t kInBytes = 16 << 10;

uint64_t Number(const std::string &s, size_t at, size_t bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < bytes; i++) {
        n = n << 8 | static_cast<uint8_t>(s[at + i]);
    }
    return n;
}

/* What a server has to answer in the transmission phase, from the specification. */
std::string Expected(const std::string &in, bool read_only)
{
    std::string disk(kDisk, '\0'), out;
    size_t at = 0;

    while (in.size() - at >= 28 && Number(in, at, 4) == 0x25609513) {
        uint64_t flags = Number(in, at + 4, 2), type = Number(in, at + 6, 2);
        uint64_t cookie = Number(in, at + 8, 8), offset = Number(in, at + 16, 8);
        uint64_t length = Number(in, at + 24, 4);
        bool inside = offset <= kDisk && length <= kDisk - offset;
        uint32_t error = 0;
        std::string payload;

        at += 28;
        if (type == 2 ||
            (type == 1 && (length > kLimits.request_bytes || in.size() - at < length))) {
            break;
        }
        if (type > 3 || flags > 1) {
            error = 22;
        } else if (type == 1) {
            error = read_only ? 1 : inside ? 0 : 28;
        } else if (type == 3) {
            error = offset || length ? 22 : 0;
        } else {
            error = inside && length <= kLimits.request_bytes ? 0 : 22;
        }
        if (type == 1) {
            if (error == 0) {
                disk.replace(offset, length, in, at, length);
            }
            at += length;
        } else if (type == 0 && error == 0) {
            payload = disk.substr(offset, length);
        }
        out += golden::Reply(cookie, error, payload);
    }
    return out;
}

void Open(export_list *list, const char *name, bool read_only)
{
    export_spec spec = {name, "memory:16k", read_only};

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

void Erase(nbd_export *e)
{
    static std::vector<uint8_t> zeroes(kDisk);
    export_io io = {};

    io.bytes = kDisk;
    io.data = zeroes.data();
    io.done = [](export_io *, int result) { aiox_assert(result == 0); };
    e->ops->write(e, &io);
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
        if (how_ & 32) {
            Transmit(Exports()->first);
        } else if (nbd_export *chosen = Greet()) {
            Transmit(chosen);
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

        handshake_start(&h, Exports(), &out);
        for (;;) {
            handshake_verdict verdict = handshake_step(&h, &in_, &out);

            sent.assign(reinterpret_cast<const char *>(bytes_front(&out)), bytes_held(&out));
            bytes_take(&out, bytes_held(&out));
            if (verdict == HANDSHAKE_SERVE) { /* the answer to NBD_OPT_EXPORT_NAME has no frame */
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

    void Transmit(nbd_export *e)
    {
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
        transmission_start(&t, &host, nullptr, e, &in_);
        transmission_continue(&t);
        for (bool moving = true; moving;) {
            moving = ReceiveRequests(&t);
            moving |= SendReplies(&t);
        }
        transmission_no_more_input(&t, true);
        while (SendReplies(&t)) {
        }
        aiox_assert(transmission_is_over(&t));
        aiox_assert(sent_ == Expected(all, e->read_only));
        transmission_fini(&t);
        pool_fini(&blocks);
    }

    uint8_t how_;
    std::string input_;
    size_t at_ = 0;
    std::string sent_;
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
    const std::string greet = ClientFlags(3) + Info("disk", {1, 3}) + Option(8) + Option(3);
    const std::string work = Write(1, 4096, "first") + Read(2, 4090, 20) + Flush(3) +
                             Write(4, 0, std::string(600, 'w'), 1) + Read(5, 0, 700, 1);
    const std::string bad = Read(1, 16384, 1) + Write(2, 16380, "outside") + Request(9, 3, 0, 0) +
                            Read(4, 0, 8193) + Read(5, 0xfffffffffffffff0, 64) +
                            Request(3, 6, 1, 1) + Read(7, 0, 0);

    return {
        std::string("\0", 1) + greet + Go("disk", {1}) + work + Disc(),
        "\x01" + greet + Go("tape") + work + bad,
        "\x13" + ClientFlags(1) + Option(1, "") + bad + work + work,
        "\x22" + work + bad + work + Disc() + work,
        "\x30" + bad + work + Request(1, 8, 0, 0xffffffff, 0, "x"),
        "\x02" + ClientFlags(3) + Go("no such") + Option(7, "bad") + Option(5) + Option(2),
        "\x07" + ClientFlags(3) + OptionSaying(999, 0xffffffff, "x"),
        std::string("\0", 1) + ClientFlags(3) + Option(999, std::string(3000, 'z')) + Go(""),
    };
}

} // namespace nbd_fuzz
