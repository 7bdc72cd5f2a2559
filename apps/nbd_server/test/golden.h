/* SPDX-License-Identifier: MIT */
/*
 * golden.h - bytes of the protocol, written down field by field as the
 * specification has them: not with the code that is tested.
 */
#ifndef AIOX_NBD_TEST_GOLDEN_H_
#define AIOX_NBD_TEST_GOLDEN_H_

#include <cstdint>
#include <initializer_list>
#include <string>

namespace golden
{

class Bytes
{
  public:
    Bytes &Number(uint64_t value, int bytes)
    {
        for (int i = bytes - 1; i >= 0; i--) {
            text_.push_back(static_cast<char>(value >> (8 * i)));
        }
        return *this;
    }
    Bytes &U16(uint16_t value)
    {
        return Number(value, 2);
    }
    Bytes &U32(uint32_t value)
    {
        return Number(value, 4);
    }
    Bytes &U64(uint64_t value)
    {
        return Number(value, 8);
    }
    Bytes &Raw(const std::string &raw)
    {
        text_ += raw;
        return *this;
    }
    operator std::string() const
    {
        return text_;
    }

  private:
    std::string text_;
};

inline std::string ClientFlags(uint32_t flags)
{
    return Bytes().U32(flags);
}

/* An option whose header may lie about the length of its data. */
inline std::string OptionSaying(uint32_t option, uint32_t length, const std::string &data)
{
    return Bytes().U64(0x49484156454F5054).U32(option).U32(length).Raw(data);
}

inline std::string Option(uint32_t option, const std::string &data = "")
{
    return OptionSaying(option, static_cast<uint32_t>(data.size()), data);
}

inline std::string GoData(const std::string &name, std::initializer_list<uint16_t> infos = {})
{
    Bytes data;

    data.U32(static_cast<uint32_t>(name.size())).Raw(name).U16(static_cast<uint16_t>(infos.size()));
    for (uint16_t info : infos) {
        data.U16(info);
    }
    return data;
}

inline std::string Go(const std::string &name, std::initializer_list<uint16_t> infos = {})
{
    return Option(7, GoData(name, infos));
}

inline std::string Info(const std::string &name, std::initializer_list<uint16_t> infos = {})
{
    return Option(6, GoData(name, infos));
}

inline std::string OptionReply(uint32_t option, uint32_t type, const std::string &data = "")
{
    return Bytes()
        .U64(0x0003e889045565a9)
        .U32(option)
        .U32(type)
        .U32(static_cast<uint32_t>(data.size()))
        .Raw(data);
}

inline std::string Greeting()
{
    return Bytes().Raw("NBDMAGIC").Raw("IHAVEOPT").U16(3);
}

/* A request whose header may announce another length than follows. */
inline std::string Request(uint16_t type, uint64_t cookie, uint64_t offset, uint32_t length,
                           uint16_t flags = 0, const std::string &payload = "")
{
    return Bytes()
        .U32(0x25609513)
        .U16(flags)
        .U16(type)
        .U64(cookie)
        .U64(offset)
        .U32(length)
        .Raw(payload);
}

inline std::string Read(uint64_t cookie, uint64_t offset, uint32_t length, uint16_t flags = 0)
{
    return Request(0, cookie, offset, length, flags);
}

inline std::string Write(uint64_t cookie, uint64_t offset, const std::string &payload,
                         uint16_t flags = 0)
{
    return Request(1, cookie, offset, static_cast<uint32_t>(payload.size()), flags, payload);
}

inline std::string Disc()
{
    return Request(2, 0, 0, 0);
}

inline std::string Flush(uint64_t cookie, uint16_t flags = 0)
{
    return Request(3, cookie, 0, 0, flags);
}

inline std::string Reply(uint64_t cookie, uint32_t error, const std::string &payload = "")
{
    return Bytes().U32(0x67446698).U32(error).U64(cookie).Raw(payload);
}

/* "NBD_OPT_LIST_META_CONTEXT", "NBD_OPT_SET_META_CONTEXT" */
inline std::string MetaData(const std::string &name, std::initializer_list<std::string> queries)
{
    Bytes data;

    data.U32(static_cast<uint32_t>(name.size())).Raw(name);
    data.U32(static_cast<uint32_t>(queries.size()));
    for (const std::string &query : queries) {
        data.U32(static_cast<uint32_t>(query.size())).Raw(query);
    }
    return data;
}

inline std::string ListMeta(const std::string &name, std::initializer_list<std::string> queries)
{
    return Option(9, MetaData(name, queries));
}

inline std::string SetMeta(const std::string &name, std::initializer_list<std::string> queries)
{
    return Option(10, MetaData(name, queries));
}

inline std::string MetaReply(uint32_t option, uint32_t id, const std::string &name)
{
    return OptionReply(option, 4, Bytes().U32(id).Raw(name));
}

/* "Extended request message" */
inline std::string ExtRequest(uint16_t type, uint64_t cookie, uint64_t offset, uint64_t length,
                              uint16_t flags = 0, const std::string &payload = "")
{
    return Bytes()
        .U32(0x21e41c71)
        .U16(flags)
        .U16(type)
        .U64(cookie)
        .U64(offset)
        .U64(length)
        .Raw(payload);
}

/* A write says that what follows is its payload. */
inline std::string ExtWrite(uint64_t cookie, uint64_t offset, const std::string &payload,
                            uint16_t flags = 0)
{
    return ExtRequest(1, cookie, offset, payload.size(), flags | 32, payload);
}

/* "Structured reply chunk message"; the last one of a reply has flag 1. */
inline std::string Chunk(uint64_t cookie, uint16_t flags, uint16_t type, const std::string &data)
{
    return Bytes()
        .U32(0x668e33ef)
        .U16(flags)
        .U16(type)
        .U64(cookie)
        .U32(static_cast<uint32_t>(data.size()))
        .Raw(data);
}

/* "Extended reply chunk message"; @offset is that of the request. */
inline std::string ExtChunk(uint64_t cookie, uint64_t offset, uint16_t flags, uint16_t type,
                            const std::string &data)
{
    return Bytes()
        .U32(0x6e8a278c)
        .U16(flags)
        .U16(type)
        .U64(cookie)
        .U64(offset)
        .U64(data.size())
        .Raw(data);
}

inline std::string OffsetData(uint64_t offset, const std::string &data)
{
    return Bytes().U64(offset).Raw(data);
}

inline std::string OffsetHole(uint64_t offset, uint32_t bytes)
{
    return Bytes().U64(offset).U32(bytes);
}

inline std::string ErrorText(uint32_t error, const std::string &text)
{
    return Bytes().U32(error).U16(static_cast<uint16_t>(text.size())).Raw(text);
}

} // namespace golden

#endif /* AIOX_NBD_TEST_GOLDEN_H_ */
