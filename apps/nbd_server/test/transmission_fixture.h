/* SPDX-License-Identifier: MIT */
/*
 * transmission_fixture.h - a transmission between a client and an export that
 * the test plays.
 */
#ifndef AIOX_NBD_TEST_TRANSMISSION_FIXTURE_H_
#define AIOX_NBD_TEST_TRANSMISSION_FIXTURE_H_

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/nbd_server/transmission.h"

namespace nbd_test
{

constexpr uint64_t kSize = 1 << 20;

/* An export that ends its requests when the test says so. */
struct Scripted {
    struct Asked {
        char what;
        export_io *io;
    };

    Scripted()
    {
        ops.read = [](nbd_export *e, export_io *io) { Of(e)->Take('r', io); };
        ops.write = [](nbd_export *e, export_io *io) { Of(e)->Take('w', io); };
        ops.flush = [](nbd_export *e, export_io *io) { Of(e)->Take('f', io); };
        ops.zero = [](nbd_export *e, export_io *io) { Of(e)->Take('z', io); };
        ops.trim = [](nbd_export *e, export_io *io) { Of(e)->Take('t', io); };
        ops.cache = [](nbd_export *e, export_io *io) { Of(e)->Take('c', io); };
        ops.map = [](nbd_export *e, export_io *io) { Of(e)->Take('m', io); };
        ops.close = [](nbd_export *) {};
        base.ops = &ops;
        base.size_bytes = kSize;
    }
    static Scripted *Of(nbd_export *e)
    {
        return reinterpret_cast<Scripted *>(e);
    }
    void Take(char what, export_io *io)
    {
        io->owner = &base;
        log += what;
        if (at_once) {
            Do(what, io);
        } else {
            asked.push_back({what, io});
        }
    }
    void Do(char what, export_io *io, int result = 0)
    {
        if (what == 'r' && result == 0) {
            memcpy(io->data, disk.data() + io->offset, io->bytes);
        } else if (what == 'w' && result == 0) {
            memcpy(&disk[io->offset], io->data, io->bytes);
        } else if (what == 'z' && result == 0) {
            std::fill_n(disk.begin() + static_cast<long>(io->offset), io->bytes, '\0');
        } else if (what == 'm' && result == 0) {
            Map(io);
        }
        io->done(io, result);
    }
    /* What the test says that is there, cut to the range; data if it says nothing. */
    void Map(export_io *io)
    {
        uint64_t at = 0, end = io->offset + io->bytes;

        io->extent_count = 0;
        for (export_extent x : extents) {
            uint64_t from = std::max(at, io->offset), to = std::min(at + x.bytes, end);

            at += x.bytes;
            if (from < to && io->extent_count < io->extent_max) {
                io->extents[io->extent_count++] = {to - from, x.state};
            }
        }
    }
    /* Ends the @i-th of those that wait. */
    void End(size_t i, int result = 0)
    {
        Asked a = asked.at(i);

        asked.erase(asked.begin() + static_cast<long>(i));
        Do(a.what, a.io, result);
    }

    nbd_export base = {}; /* first */
    export_ops ops = {};
    bool at_once = false;
    std::string log;
    std::vector<export_extent> extents = {{kSize, 0}}; /* from the start of the disk */
    std::string disk = std::string(kSize, '.');
    std::vector<Asked> asked;
};

class TransmissionTest : public ::testing::Test
{
  protected:
    TransmissionTest()
    {
        pool_init(&pool_, sizeof(request), POOL_KEEP_BYTES);
        host_.pool = &pool_;
        host_.stats = &stats_;
        host_.limits = &limits_;
        host_.ended = [](void *t) { static_cast<TransmissionTest *>(t)->ended_++; };
        host_.failed = [](void *t, const request *, int error) {
            static_cast<TransmissionTest *>(t)->failures_.push_back(error);
        };
        Start({});
    }
    ~TransmissionTest() override
    {
        while (!export_.asked.empty()) {
            export_.End(0);
        }
        transmission_fini(&t_);
        pool_fini(&pool_);
    }

    void Start(dialect how)
    {
        transmission_service service = {&export_.base, how};

        transmission_start(&t_, &host_, this, &service, &in_);
    }
    /* From now on in another dialect. */
    void Restart(dialect how)
    {
        transmission_fini(&t_);
        in_.start = in_.end = 0;
        Start(how);
    }

    /* Receives as much of @input as is wanted, in pieces; returns how much. */
    size_t Receive(const std::string &input, size_t piece = SIZE_MAX)
    {
        size_t at = 0;

        while (at < input.size()) {
            iovec iov[2];
            int n = transmission_input(&t_, iov);
            size_t got = 0;

            for (int i = 0; i < n; i++) {
                size_t take = std::min({iov[i].iov_len, piece - got, input.size() - at});

                memcpy(iov[i].iov_base, input.data() + at, take);
                at += take;
                got += take;
            }
            if (got == 0) {
                break;
            }
            transmission_received(&t_, got);
        }
        return at;
    }

    /* Sends at most @most bytes of what there is to send. */
    std::string SendSome(size_t most)
    {
        std::string sent;
        iovec iov[4];
        int n = transmission_output(&t_, iov, 4);

        for (int i = 0; i < n; i++) {
            size_t take = std::min(iov[i].iov_len, most - sent.size());

            sent.append(static_cast<char *>(iov[i].iov_base), take);
        }
        transmission_sent(&t_, sent.size());
        return sent;
    }

    std::string Send(size_t at_a_time = SIZE_MAX)
    {
        std::string all, some;

        while (!(some = SendSome(at_a_time)).empty()) {
            all += some;
            transmission_continue(&t_);
        }
        return all;
    }

    /* All of it at once, by an export that answers at once. */
    std::string Serve(const std::string &input, size_t piece = SIZE_MAX)
    {
        std::string sent;
        size_t at = 0;

        export_.at_once = true;
        while (at < input.size()) {
            size_t n = Receive(input.substr(at), piece);

            sent += Send();
            if (n == 0 && transmission_is_over(&t_)) {
                break;
            }
            at += n;
        }
        return sent;
    }

    Scripted export_;
    std::vector<uint8_t> memory_ = std::vector<uint8_t>(4096);
    bytes in_ = {memory_.data(), memory_.size(), 0, 0};
    pool pool_;
    transmission_limits limits_ = {64 << 10, 8, 256 << 10};
    transmission_stats stats_ = {};
    transmission_host host_ = {};
    transmission t_;
    int ended_ = 0;
    std::vector<int> failures_;
};

} // namespace nbd_test

#endif /* AIOX_NBD_TEST_TRANSMISSION_FIXTURE_H_ */
