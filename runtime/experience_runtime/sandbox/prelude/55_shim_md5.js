// require('md5'): the hex digest of a text, by RFC 1321, of its UTF-8 bytes.
(function (kit) {
  'use strict'
  const HEX = '0123456789abcdef'
  const TURNS = '7 12 17 22 5 9 14 20 4 11 16 23 6 10 15 21 '
  const turns = kit.create(null) // round * 4 + step % 4 -> bits
  const sines = kit.create(null) // step -> the constant of the RFC
  const sine = Math.sin

  for (let at = 0, index = 0; at < TURNS.length; index++) {
    const space = kit.indexOf(TURNS, ' ', at)
    turns[index] = +kit.slice(TURNS, at, space)
    at = space + 1
  }
  for (let step = 0; step < 64; step++) {
    const size = sine(step + 1)
    const scaled = (size < 0 ? -size : size) * 4294967296
    sines[step] = (scaled - scaled % 1) | 0
  }

  // The text's bytes, four to a word, with the RFC's padding.
  function words (text) {
    const found = kit.create(null)
    let count = 0
    const put = (byte) => {
      const word = count >> 2
      found[word] = (found[word] | 0) | (byte << (count % 4 * 8))
      count += 1
    }
    for (let index = 0; index < text.length; index++) {
      let code = kit.charCode(text, index)
      const next = code >= 0xd800 && code < 0xdc00 && index + 1 < text.length ? kit.charCode(text, index + 1) : 0
      if (next >= 0xdc00 && next < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + next - 0xdc00
        index += 1
      } else if (code >= 0xd800 && code < 0xe000) {
        code = 0xfffd // half a pair
      }
      if (code < 0x80) put(code)
      else if (code < 0x800) put(0xc0 | code >> 6)
      else if (code < 0x10000) put(0xe0 | code >> 12)
      else put(0xf0 | code >> 18)
      if (code >= 0x10000) put(0x80 | code >> 12 & 63)
      if (code >= 0x800) put(0x80 | code >> 6 & 63)
      if (code >= 0x80) put(0x80 | code & 63)
    }
    const bits = count * 8
    put(0x80)
    while (count % 64 !== 56) put(0)
    found[count >> 2] = bits | 0
    found[(count >> 2) + 1] = (bits - (bits >>> 0)) / 4294967296
    return kit.record({ words: found, count: (count >> 2) + 2 })
  }

  const rotated = (value, bits) => value << bits | value >>> (32 - bits)

  function hex (word) {
    let text = ''
    for (let byte = 0; byte < 4; byte++) {
      const value = word >>> (byte * 8) & 255
      text += HEX[value >> 4] + HEX[value & 15]
    }
    return text
  }

  kit.md5 = function md5 (message) {
    if (message === undefined || message === null) throw new kit.Error('Illegal argument ' + message)
    const padded = words(typeof message === 'string' ? message : kit.String(message))
    let a = 0x67452301
    let b = 0xefcdab89 | 0
    let c = 0x98badcfe | 0
    let d = 0x10325476
    for (let block = 0; block < padded.count; block += 16) {
      const before = kit.record({ a: a, b: b, c: c, d: d })
      for (let step = 0; step < 64; step++) {
        const round = step >> 4
        const mixed = round === 0 ? b & c | ~b & d : round === 1 ? d & b | ~d & c : round === 2 ? b ^ c ^ d : c ^ (b | ~d)
        const word = round === 0 ? step : round === 1 ? (5 * step + 1) % 16 : round === 2 ? (3 * step + 5) % 16 : 7 * step % 16
        const sum = (a + mixed | 0) + (sines[step] + padded.words[block + word] | 0) | 0
        a = d
        d = c
        c = b
        b = b + rotated(sum, turns[round * 4 + step % 4]) | 0
      }
      a = a + before.a | 0
      b = b + before.b | 0
      c = c + before.c | 0
      d = d + before.d | 0
    }
    return hex(a) + hex(b) + hex(c) + hex(d)
  }
})
