// Hosts of addresses, and how a part of one is written: the URL standard's (url.spec.whatwg.org). For 34_address.js.
(function (kit) {
  'use strict'
  const has = (text, char) => kit.indexOf(text, char) >= 0
  const parseInteger = parseInt
  const lower = kit.method(String.prototype.toLowerCase)
  const normalize = kit.method(String.prototype.normalize)
  const codePoint = kit.method(String.prototype.codePointAt)
  const fromCharCode = String.fromCharCode
  const floor = Math.floor
  const pow = Math.pow

  // Written as %XX: controls, all that is not ASCII, and these marks.
  const hex = (byte) => '%' + kit.upper(kit.slice(kit.numberText(byte + 256, 16), 1))

  function encoded (text, marks) {
    if (kit.matches(/^[\w\-.~/]*$/, text)) return text
    let written = ''
    const bytes = kit.utf8.bytes(text)
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      const char = fromCharCode(byte)
      written += byte <= 0x1f || byte > 0x7e || has(marks, char) ? hex(byte) : char
    }
    return written
  }

  const digit = (code) => code >= 48 && code <= 57 ? code - 48 : code >= 65 && code <= 70 ? code - 55 : code >= 97 && code <= 102 ? code - 87 : -1

  // %XX as the bytes they stand for, read as UTF-8
  function decoded (text) {
    if (!has(text, '%')) return text
    const bytes = kit.utf8.bytes(text)
    let to = 0
    for (let at = 0; at < bytes.length; at++, to++) {
      const high = at + 2 < bytes.length && bytes[at] === 37 ? digit(bytes[at + 1]) : -1
      const low = high < 0 ? -1 : digit(bytes[at + 2])
      bytes[to] = low < 0 ? bytes[at] : high * 16 + low
      if (low >= 0) at += 2
    }
    return kit.utf8.text(bytes, to)
  }

  function split (text, isMark) {
    const parts = []
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (!isMark(text[at])) continue
      kit.push(parts, kit.slice(text, from, at))
      from = at + 1
    }
    kit.push(parts, kit.slice(text, from))
    return parts
  }

  // Hosts: each answers with a text, or null for one that is none.
  const DEFAULTS = kit.record({ base: 36, tMin: 1, tMax: 26, skew: 38, damp: 700, bias: 72, first: 128 })

  // RFC 3492
  function punycode (label) {
    const codes = []
    let written = ''
    for (let at = 0; at < label.length; at++) {
      const code = codePoint(label, at)
      kit.push(codes, code)
      if (code > 0xffff) at++
      if (code < 128) written += fromCharCode(code)
    }
    let done = written.length
    if (done > 0) written += '-'
    const basic = done
    let n = DEFAULTS.first
    let delta = 0
    let bias = DEFAULTS.bias
    while (done < codes.length) {
      let next = 0x7fffffff
      for (let at = 0; at < codes.length; at++) if (codes[at] >= n && codes[at] < next) next = codes[at]
      delta += (next - n) * (done + 1)
      n = next
      for (let at = 0; at < codes.length; at++) {
        if (codes[at] < n) delta++
        if (codes[at] !== n) continue
        let rest = delta
        for (let k = DEFAULTS.base; ; k += DEFAULTS.base) {
          const least = k <= bias ? DEFAULTS.tMin : k >= bias + DEFAULTS.tMax ? DEFAULTS.tMax : k - bias
          if (rest < least) break
          written += letter(least + (rest - least) % (DEFAULTS.base - least))
          rest = floor((rest - least) / (DEFAULTS.base - least))
        }
        written += letter(rest)
        bias = adapted(delta, done + 1, done === basic)
        delta = 0
        done++
      }
      delta++
      n++
    }
    return written
  }

  const letter = (value) => fromCharCode(value < 26 ? value + 97 : value + 22)

  function adapted (delta, points, isFirst) {
    let left = isFirst ? floor(delta / DEFAULTS.damp) : floor(delta / 2)
    left += floor(left / points)
    let k = 0
    for (; left > ((DEFAULTS.base - DEFAULTS.tMin) * DEFAULTS.tMax) / 2; k += DEFAULTS.base) left = floor(left / (DEFAULTS.base - DEFAULTS.tMin))
    return k + floor((DEFAULTS.base * left) / (left + DEFAULTS.skew))
  }

  const MOST_OF_LABEL = 1000 // a punycode label takes the square of its length
  const IGNORED = /[\u00ad\u200b\u2060\ufeff]/

  function asciiDomain (text) {
    if (kit.matches(/^[\x00-\x7f]*$/, text)) return lower(text)
    let mapped = ''
    for (let at = 0; at < text.length; at++) if (!kit.matches(IGNORED, text[at])) mapped += text[at]
    mapped = normalize(lower(normalize(mapped, 'NFKC')), 'NFKC')
    const labels = split(mapped, (char) => char === '.' || char === '\u3002')
    let domain = ''
    for (let at = 0; at < labels.length; at++) {
      const label = labels[at]
      if (label.length > MOST_OF_LABEL || has(label, '\ufffd')) return null
      domain += (at === 0 ? '' : '.') + (kit.matches(/^[\x00-\x7f]*$/, label) ? label : 'xn--' + punycode(label))
    }
    return domain
  }

  function numberOf (part) {
    if (part === '') return -1
    if (kit.matches(/^0x[0-9a-f]*$/i, part)) return part.length === 2 ? 0 : parseInteger(part, 16)
    if (part.length > 1 && part[0] === '0') return kit.matches(/^[0-7]+$/, part) ? parseInteger(part, 8) : -1
    return kit.matches(/^[0-9]+$/, part) ? parseInteger(part, 10) : -1
  }

  // -> a text, null for an address that is none, undefined for a name
  function ipv4 (text) {
    const parts = split(text, (char) => char === '.')
    if (parts[parts.length - 1] === '' && parts.length > 1) parts.length -= 1
    const last = parts[parts.length - 1]
    if (!kit.matches(/^([0-9]+|0x[0-9a-f]*)$/i, last)) return undefined
    if (parts.length > 4) return null
    let address = 0
    for (let at = 0; at < parts.length; at++) {
      const value = numberOf(parts[at])
      const isLast = at === parts.length - 1
      if (value < 0 || (!isLast && value > 255) || (isLast && value >= pow(256, 5 - parts.length))) return null
      address += isLast ? value : value * pow(256, 3 - at)
    }
    return floor(address / 16777216) + '.' + floor(address / 65536) % 256 + '.' + floor(address / 256) % 256 + '.' + address % 256
  }

  function ipv6 (text) {
    const gap = kit.indexOf(text, '::')
    if (gap >= 0 && kit.indexOf(text, '::', gap + 1) >= 0) return null
    const head = pieces(gap < 0 ? text : kit.slice(text, 0, gap), gap < 0)
    const tail = gap < 0 ? [] : pieces(kit.slice(text, gap + 2), true)
    if (head === null || tail === null) return null
    const lacking = 8 - head.length - tail.length
    if (gap < 0 ? lacking !== 0 : lacking < 1) return null
    const all = []
    for (let at = 0; at < head.length; at++) kit.push(all, head[at])
    for (let at = 0; at < lacking; at++) kit.push(all, 0)
    for (let at = 0; at < tail.length; at++) kit.push(all, tail[at])
    return written6(all)
  }

  function pieces (text, mayEndAs4) {
    const found = []
    if (text === '') return found
    const parts = split(text, (char) => char === ':')
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]
      if (kit.matches(/^[0-9a-f]{1,4}$/i, part)) {
        kit.push(found, parseInteger(part, 16))
      } else if (mayEndAs4 && at === parts.length - 1 && kit.matches(/^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$/, part)) {
        const four = split(part, (char) => char === '.')
        for (let byte = 0; byte < 4; byte++) if (+four[byte] > 255) return null
        kit.push(found, four[0] * 256 + +four[1])
        kit.push(found, four[2] * 256 + +four[3])
      } else {
        return null
      }
    }
    return found
  }

  function written6 (all) {
    let longest = -1
    let most = 1
    for (let at = 0; at < 8; at++) {
      let count = 0
      while (at + count < 8 && all[at + count] === 0) count++
      if (count > most) {
        most = count
        longest = at
      }
      at += count
    }
    let written = ''
    for (let at = 0; at < 8; at++) {
      if (at === longest) {
        written += at === 0 ? '::' : ':'
        at += most - 1
        continue
      }
      written += kit.numberText(all[at], 16) + (at < 7 ? ':' : '')
    }
    return '[' + written + ']'
  }

  function host (text, special) {
    if (text[0] === '[') return text[text.length - 1] === ']' ? ipv6(kit.slice(text, 1, -1)) : null
    if (!special) return kit.matches(/[\x00\t\n\r #/:<>?@[\\\]^|]/, text) ? null : encoded(text, '')
    const domain = asciiDomain(decoded(text))
    if (domain === null || domain === '' || kit.matches(/[\x00-\x20"#%/:<>?@[\\\]^`{|}\x7f]/, domain)) return null
    const address = ipv4(domain)
    return address === undefined ? domain : address
  }

  kit.hosts = kit.record({
    host: host, encoded: encoded, decoded: decoded, split: split, has: has, lower: lower, parseInteger: parseInteger
  })
})
