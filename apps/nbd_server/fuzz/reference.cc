/* SPDX-License-Identifier: MIT */
/*
 * reference.cc - from the specification alone: all bytes in one go, one request
 * after the other, nothing shared with the server but the names of its limits.
 */
#include "apps/nbd_server/fuzz/reference.h"

#include <algorithm>

#include "aiox/assert.h"
#include "apps/nbd_server/test/golden.h"

namespace nbd_fuzz
{

uint64_t Number(const std::string &s, size_t at, size_t bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < bytes; i++) {
        n = n << 8 | static_cast<uint8_t>(s[at + i]);
    }
    return n;
}

namespace
{

/* A server that has all the time in the world. */
class Reference
{
  public:
    Reference(const std::string &in, const dialect &how, bool read_only)
        : in_(in), how_(how), read_only_(read_only)
    {
    }

    /* What has to be answered in the transmission phase. */
    std::string All()
    {
        while (Next()) {
        }
        return out_;
    }

  private:
    bool Next()
    {
        size_t header = IsExtended() ? 32 : 28;

        if (in_.size() - at_ < header ||
            Number(in_, at_, 4) != (IsExtended() ? 0x21e41c71 : 0x25609513)) {
            return false;
        }
        flags_ = Number(in_, at_ + 4, 2);
        type_ = Number(in_, at_ + 6, 2);
        cookie_ = Number(in_, at_ + 8, 8);
        asked_ = offset_ = Number(in_, at_ + 16, 8);
        length_ = Number(in_, at_ + 24, header - 24);
        at_ += header;
        uint64_t trailing = (IsExtended() ? (flags_ & 32) != 0 : type_ == 1) ? length_ : 0;

        if (type_ == 2 || trailing > kLimits.request_bytes || in_.size() - at_ < trailing ||
            (type_ == 1 && trailing != length_)) {
            return false;
        }
        Answer(in_.substr(at_, trailing));
        at_ += trailing;
        return true;
    }

    void Answer(const std::string &payload)
    {
        bool filtered = type_ == 7 && (flags_ & 32);

        if (filtered && payload.size() == 12) {
            length_ = Number(payload, 0, 8);
        }
        if (uint32_t error = Error(filtered, payload)) {
            return Refuse(error);
        }
        if (type_ == 1) {
            disk_.replace(offset_, length_, payload);
        } else if (type_ == 6) {
            disk_.replace(offset_, length_, length_, '\0');
        } else if (type_ == 4) {
            Trim();
        }
        Settle();
        Reply();
    }

    uint32_t Error(bool filtered, const std::string &payload) const
    {
        static const uint64_t kValid[] = {0, 0, 0, 0, 0, 0, 2 | 16, 8};
        bool writes = type_ == 1 || type_ == 4 || type_ == 6;
        bool inside = offset_ <= kDisk && length_ <= kDisk - offset_;
        uint64_t valid = 1 | (type_ < 8 ? kValid[type_] : 0);

        valid |= type_ == 0 && how_.replies >= REPLIES_STRUCTURED ? 4 : 0;
        valid |= (type_ == 1 || type_ == 7) && IsExtended() ? 32 : 0;
        if (type_ > 7 || (flags_ & ~valid)) {
            return 22;
        }
        if (writes && read_only_) {
            return 1;
        }
        if (type_ == 3) {
            return offset_ || length_ ? 22 : 0;
        }
        if (type_ == 7 && (!how_.allocation || (filtered && payload.size() != 12) ||
                           (filtered && Number(payload, 8, 4) != 1) || length_ == 0)) {
            return 22;
        }
        if (!inside) {
            return type_ == 1 || type_ == 6 ? 28 : 22;
        }
        return type_ == 0 && length_ > kLimits.request_bytes ? 22 : 0;
    }

    /* Memory is in blocks of 4 KiB, which are there when they were written. */
    void Trim()
    {
        uint64_t from = (offset_ + 4095) / 4096 * 4096, to = (offset_ + length_) / 4096 * 4096;

        if (from < to) {
            disk_.replace(from, to - from, to - from, '\0');
        }
    }

    void Settle()
    {
        uint64_t end = offset_ + length_;

        for (uint64_t block = 0; block < kDisk / 4096; block++) {
            uint64_t from = block * 4096, to = from + 4096;
            bool touched = length_ > 0 && offset_ < to && from < end;
            bool whole = offset_ <= from && to <= end;

            if ((type_ == 1 || (type_ == 6 && (flags_ & 2))) && touched) {
                written_[block] = true;
            } else if ((type_ == 4 || type_ == 6) && touched && whole) {
                written_[block] = false;
            }
        }
    }

    /* Extents of the range, as 32 or 64 bits. */
    std::string Extents(uint32_t *count) const
    {
        golden::Bytes list;
        uint64_t at = offset_, end = offset_ + length_;

        for (*count = 0; at < end && (*count == 0 || !(flags_ & 8)); (*count)++) {
            uint64_t behind = EndOfRun(at), state = written_[at / 4096] ? 0 : 3;

            list.Number(behind - at, IsExtended() ? 8 : 4).Number(state, IsExtended() ? 8 : 4);
            at = behind;
        }
        return list;
    }

    void Chunk(uint16_t type, const std::string &data, bool last = true)
    {
        out_ += IsExtended() ? golden::ExtChunk(cookie_, asked_, last, type, data)
                             : golden::Chunk(cookie_, last, type, data);
    }

    /* The end of what begins at @at and is all there or all a hole. */
    uint64_t EndOfRun(uint64_t at) const
    {
        uint64_t end = offset_ + length_, run = at;

        while (run < end && written_[run / 4096] == written_[at / 4096]) {
            run = std::min(end, run / 4096 * 4096 + 4096);
        }
        return run;
    }

    /* Among those that a read looks at. */
    bool HasHole() const
    {
        uint64_t at = offset_, end = offset_ + length_;

        for (int i = 0; at < end && i < REQUEST_STRETCHES - 1; i++) {
            if (!written_[at / 4096]) {
                return true;
            }
            at = EndOfRun(at);
        }
        return false;
    }

    /* Data and holes one after the other; what is beyond the bound is data. */
    void Stretches(const std::string &data)
    {
        uint64_t at = offset_, end = offset_ + length_;

        for (int i = 0; at < end; i++) {
            bool rest = i == REQUEST_STRETCHES - 1;
            uint64_t behind = rest ? end : EndOfRun(at);

            if (!rest && !written_[at / 4096]) {
                Chunk(2, golden::OffsetHole(at, static_cast<uint32_t>(behind - at)), behind == end);
            } else {
                Chunk(1, golden::OffsetData(at, data.substr(at - offset_, behind - at)),
                      behind == end);
            }
            at = behind;
        }
    }

    /* Words are the server's own: only their kind is compared, see Wordless(). */
    void Refuse(uint32_t error)
    {
        if (how_.replies == REPLIES_SIMPLE) {
            out_ += golden::Reply(cookie_, error);
        } else {
            Chunk(0x8001, golden::ErrorText(error, ""));
        }
    }

    void Reply()
    {
        std::string data = type_ == 0 ? disk_.substr(offset_, length_) : "";
        uint32_t count;

        if (how_.replies == REPLIES_SIMPLE) {
            out_ += golden::Reply(cookie_, 0, data);
        } else if (type_ == 7) {
            std::string list = Extents(&count);

            golden::Bytes status;
            status.U32(1);
            if (IsExtended()) {
                status.U32(count);
            }
            Chunk(IsExtended() ? 6 : 5, status.Raw(list));
        } else if (data.empty()) {
            Chunk(0, "");
        } else if (data.size() < REQUEST_SPARSE_MIN || (flags_ & 4) || !HasHole()) {
            Chunk(1, golden::OffsetData(offset_, data));
        } else {
            Stretches(data);
        }
    }

    bool IsExtended() const
    {
        return how_.replies == REPLIES_EXTENDED;
    }

    const std::string &in_;
    const dialect how_;
    const bool read_only_;
    std::string disk_ = std::string(kDisk, '\0'), out_;
    bool written_[kDisk / 4096] = {};
    size_t at_ = 0;
    uint64_t flags_ = 0, type_ = 0, cookie_ = 0, offset_ = 0, asked_ = 0, length_ = 0;
};

} // namespace

std::string Expected(const std::string &in, const dialect &how, bool read_only)
{
    return Reference(in, how, read_only).All();
}

std::string Wordless(const std::string &sent, const dialect &how)
{
    bool extended = how.replies == REPLIES_EXTENDED;
    size_t header = extended ? 32 : 20, field = extended ? 8 : 4;
    std::string out;

    if (how.replies == REPLIES_SIMPLE) {
        return sent;
    }
    for (size_t at = 0; at < sent.size();) {
        aiox_assert(sent.size() - at >= header);
        size_t length = Number(sent, at + header - field, field);

        aiox_assert(sent.size() - at - header >= length);
        if (Number(sent, at + 6, 2) == 0x8001) {
            aiox_assert(Number(sent, at + header + 4, 2) == length - 6 && length > 6);
            out += sent.substr(at, header - field);
            out += golden::Bytes().Number(6, static_cast<int>(field));
            out += sent.substr(at + header, 4) + std::string(2, '\0');
        } else {
            out += sent.substr(at, header + length);
        }
        at += header + length;
    }
    return out;
}

} // namespace nbd_fuzz
