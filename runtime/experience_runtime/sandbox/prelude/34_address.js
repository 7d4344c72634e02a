// Addresses: the URL standard's parser and serializer (url.spec.whatwg.org), for the classes of 35_url.js.
// A record is {scheme, username, password, host: text or null, port, path: list, or a text for one that is
// opaque, query: text or null, fragment: text or null}.
(function (kit) {
  'use strict'
  const PORTS = kit.record({ http: '80', https: '443', ws: '80', wss: '443', ftp: '21', file: '' })
  const isSpecial = (scheme) => PORTS[scheme] !== undefined
  const has = (text, char) => kit.indexOf(text, char) >= 0
  const starts = (text, start) => kit.slice(text, 0, start.length) === start
  const parseInteger = parseInt
  const lower = kit.method(String.prototype.toLowerCase)
  const normalize = kit.method(String.prototype.normalize)
  const codePoint = kit.method(String.prototype.codePointAt)
  const lastIndexOf = kit.method(String.prototype.lastIndexOf)
  const fromCharCode = String.fromCharCode
  const floor = Math.floor
  const pow = Math.pow

  // What each part has written as %XX, beside controls and all that is not ASCII.
  const FRAGMENT = ' "<>`'
  const QUERY = ' "#<>'
  const PATH = QUERY + '?`{}'
  const USERINFO = PATH + '/:;=@[\\]^|'
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

  // -> the text before the first of these marks, and the rest with the mark
  function until (text, isMark) {
    for (let at = 0; at < text.length; at++) if (isMark(text[at])) return { __proto__: null, before: kit.slice(text, 0, at), rest: kit.slice(text, at) }
    return { __proto__: null, before: text, rest: '' }
  }

  const isDrive = (text) => kit.matches(/^[a-z][:|]$/i, text)
  const beginsWithDrive = (text) => kit.matches(/^[a-z][:|]([/\\?#]|$)/i, text)

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

  // -> whether it is one; `url` has it then
  function takePort (url, text) {
    if (!kit.matches(/^[0-9]*$/, text)) return false
    const port = text === '' ? '' : kit.numberText(parseInteger(text, 10))
    if (port !== '' && +port > 65535) return false
    url.port = port === PORTS[url.scheme] ? '' : port
    return true
  }

  function takeHostAndPort (url, text) {
    const special = isSpecial(url.scheme)
    const bracket = lastIndexOf(text, ']')
    const colon = kit.indexOf(text, ':', text[0] === '[' && bracket >= 0 ? bracket : 0)
    const name = colon < 0 ? text : kit.slice(text, 0, colon)
    if (name === '' && (special || colon >= 0 || url.username !== '' || url.password !== '')) return false
    const found = name === '' ? '' : host(name, special)
    if (found === null || (colon >= 0 && !takePort(url, kit.slice(text, colon + 1)))) return false
    url.host = found
    return true
  }

  function takeAuthority (url, rest) {
    const special = isSpecial(url.scheme)
    const parted = until(rest, (char) => char === '/' || (special && char === '\\'))
    const at = lastIndexOf(parted.before, '@')
    if (at >= 0) {
      const user = kit.slice(parted.before, 0, at)
      const colon = kit.indexOf(user, ':')
      url.username = encoded(colon < 0 ? user : kit.slice(user, 0, colon), USERINFO)
      url.password = colon < 0 ? '' : encoded(kit.slice(user, colon + 1), USERINFO)
      if (at === parted.before.length - 1) return false
    }
    if (!takeHostAndPort(url, kit.slice(parted.before, at + 1))) return false
    takePath(url, parted.rest)
    return true
  }

  function shorten (url) {
    const path = url.path
    if (url.scheme === 'file' && path.length === 1 && kit.matches(/^[a-z]:$/i, path[0])) return
    if (path.length > 0) path.length -= 1
  }

  const isOneDot = (part) => kit.matches(/^(\.|%2e)$/i, part)
  const isTwoDots = (part) => kit.matches(/^(\.|%2e){2}$/i, part)

  // Put the rest's segments after those that are there.
  function takePath (url, rest) {
    const special = isSpecial(url.scheme)
    if (rest === '' && !special) return
    const isSlash = (char) => char === '/' || (special && char === '\\')
    const parts = split(rest !== '' && isSlash(rest[0]) ? kit.slice(rest, 1) : rest, isSlash)
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]
      const isLast = at === parts.length - 1
      if (isTwoDots(part)) {
        shorten(url)
        if (isLast) kit.push(url.path, '')
      } else if (isOneDot(part)) {
        if (isLast) kit.push(url.path, '')
      } else if (url.scheme === 'file' && url.path.length === 0 && isDrive(part)) {
        kit.push(url.path, part[0] + ':')
      } else {
        kit.push(url.path, encoded(part, PATH))
      }
    }
  }

  function takeBase (url, base) {
    url.username = base.username
    url.password = base.password
    url.host = base.host
    url.port = base.port
  }

  function copied (path) {
    const list = []
    for (let at = 0; at < path.length; at++) kit.push(list, path[at])
    return list
  }

  function takeFile (url, rest, base, hasQuery) {
    const isSlash = (char) => char === '/' || char === '\\'
    const isFile = base !== null && base.scheme === 'file'
    url.host = ''
    if (rest !== '' && isSlash(rest[0])) {
      if (rest.length > 1 && isSlash(rest[1])) return takeFileHost(url, until(kit.slice(rest, 2), isSlash))
      if (isFile) {
        url.host = base.host
        const keepsDrive = !beginsWithDrive(kit.slice(rest, 1)) && base.path.length > 0 && kit.matches(/^[a-z]:$/i, base.path[0])
        if (keepsDrive) kit.push(url.path, base.path[0])
      }
    } else if (isFile) {
      url.host = base.host
      if (!beginsWithDrive(rest)) url.path = copied(base.path)
      if (rest === '') {
        if (!hasQuery) url.query = base.query
        return true
      }
      if (!beginsWithDrive(rest)) shorten(url)
    }
    takePath(url, rest)
    return true
  }

  function takeFileHost (url, parted) {
    if (isDrive(parted.before)) {
      takePath(url, parted.before + parted.rest)
      return true
    }
    const found = parted.before === '' ? '' : host(parted.before, true)
    if (found === null) return false
    url.host = found === 'localhost' ? '' : found
    takePath(url, parted.rest)
    return true
  }

  function takeRelative (url, rest, base, hasQuery) {
    const special = isSpecial(url.scheme)
    const isSlash = (char) => char === '/' || (special && char === '\\')
    if (rest !== '' && isSlash(rest[0])) {
      if (rest.length > 1 && isSlash(rest[1])) return takeAuthority(url, special ? withoutSlashes(rest) : kit.slice(rest, 2))
      takeBase(url, base)
    } else {
      takeBase(url, base)
      url.path = copied(base.path)
      if (rest === '') {
        if (!hasQuery) url.query = base.query
        return true
      }
      shorten(url)
    }
    takePath(url, rest)
    return true
  }

  function withoutSlashes (rest) {
    let at = 0
    while (at < rest.length && (rest[at] === '/' || rest[at] === '\\')) at++
    return kit.slice(rest, at)
  }

  function cleaned (text) {
    let from = 0
    let to = text.length
    while (from < to && kit.charCode(text, from) <= 32) from++
    while (to > from && kit.charCode(text, to - 1) <= 32) to--
    const inner = kit.slice(text, from, to)
    return without(inner)
  }

  // Tabs and line ends count nowhere.
  function without (text) {
    if (!kit.matches(/[\t\n\r]/, text)) return text
    let left = ''
    for (let at = 0; at < text.length; at++) if (!has('\t\n\r', text[at])) left += text[at]
    return left
  }

  const blank = (scheme) => ({ __proto__: null, scheme: scheme, username: '', password: '', host: null, port: '', path: [], query: null, fragment: null })
  const queryOf = (url, text) => encoded(text, isSpecial(url.scheme) ? QUERY + "'" : QUERY)

  // -> a record, or null for a text that is no address; `base` is a record or null
  function parse (given, base) {
    let text = cleaned(given)
    const hash = kit.indexOf(text, '#')
    const fragment = hash < 0 ? null : encoded(kit.slice(text, hash + 1), FRAGMENT)
    if (hash >= 0) text = kit.slice(text, 0, hash)
    const mark = kit.indexOf(text, '?')
    const query = mark < 0 ? null : kit.slice(text, mark + 1)
    if (mark >= 0) text = kit.slice(text, 0, mark)
    const colon = kit.indexOf(text, ':')
    const name = colon > 0 && kit.matches(/^[a-z][a-z0-9+\-.]*$/i, kit.slice(text, 0, colon)) ? lower(kit.slice(text, 0, colon)) : null
    const url = blank(name !== null ? name : base === null ? '' : base.scheme)
    const rest = name === null ? text : kit.slice(text, colon + 1)
    let isFound = true
    if (name === null && base === null) return null
    if (name === null && typeof base.path === 'string') {
      if (rest !== '' || query !== null || fragment === null) return null
      url.path = base.path
      url.query = base.query
    } else if (url.scheme === 'file') {
      isFound = takeFile(url, rest, base, query !== null)
    } else if (name === null || (isSpecial(name) && base !== null && base.scheme === name && !kit.matches(/^\/\//, rest))) {
      isFound = takeRelative(url, rest, base, query !== null)
    } else if (isSpecial(name)) {
      isFound = takeAuthority(url, withoutSlashes(rest))
    } else if (starts(rest, '//')) {
      isFound = takeAuthority(url, kit.slice(rest, 2))
    } else if (rest[0] === '/') {
      takePath(url, rest)
    } else {
      url.path = encoded(rest, '')
    }
    if (!isFound) return null
    if (query !== null) url.query = queryOf(url, query)
    url.fragment = fragment
    return url
  }

  function pathText (url) {
    if (typeof url.path === 'string') return url.path
    let text = ''
    for (let at = 0; at < url.path.length; at++) text += '/' + url.path[at]
    return text
  }

  const hostText = (url) => url.host === null ? '' : url.host + (url.port === '' ? '' : ':' + url.port)

  function text (url) {
    const isShy = url.host === null && typeof url.path !== 'string' && url.path.length > 1 && url.path[0] === ''
    const user = url.username === '' && url.password === '' ? '' : url.username + (url.password === '' ? '' : ':' + url.password) + '@'
    return url.scheme + ':' + (url.host === null ? (isShy ? '/.' : '') : '//' + user + hostText(url)) + pathText(url) +
      (url.query === null ? '' : '?' + url.query) + (url.fragment === null ? '' : '#' + url.fragment)
  }

  kit.address = kit.record({
    parse: parse,
    text: text,
    pathText: pathText,
    hostText: hostText,
    decoded: decoded,
    // What the setters of a URL take: each leaves the record as it is when the text does not fit.
    setScheme (url, given) {
      const found = kit.matches(/^[a-z][a-z0-9+\-.]*(:|$)/i, given) ? lower(until(given, (char) => char === ':').before) : null
      if (found === null || isSpecial(found) !== isSpecial(url.scheme)) return
      if (found === 'file' && (url.username !== '' || url.password !== '' || url.port !== '')) return
      if (url.scheme === 'file' && url.host === '') return
      url.scheme = found
      if (url.port === PORTS[found]) url.port = ''
    },
    setUser (url, name, given) {
      if (url.host !== null && url.host !== '' && url.scheme !== 'file') url[name] = encoded(given, USERINFO)
    },
    setHost (url, given, withPort) {
      if (typeof url.path === 'string') return
      const special = isSpecial(url.scheme)
      let found = until(without(given), (char) => has('/?#', char) || (special && char === '\\')).before
      const colon = kit.indexOf(found, ':', found[0] === '[' ? lastIndexOf(found, ']') : 0)
      if (colon === 0 || (colon > 0 && (!withPort || url.scheme === 'file'))) return
      const digits = colon < 0 ? '' : until(kit.slice(found, colon + 1), (char) => !kit.matches(/[0-9]/, char)).before
      if (colon > 0) found = kit.slice(found, 0, colon)
      const next = found === '' ? (special && url.scheme !== 'file') ? null : '' : host(found, special)
      if (next === null || (next === '' && (url.username !== '' || url.password !== '' || url.port !== ''))) return
      url.host = url.scheme === 'file' && next === 'localhost' ? '' : next
      if (digits !== '') takePort(url, digits)
    },
    setPort (url, given) {
      if (url.host === null || url.host === '' || url.scheme === 'file') return
      const digits = until(without(given), (char) => !kit.matches(/[0-9]/, char)).before
      if (given === '') url.port = ''
      else if (digits !== '') takePort(url, digits)
    },
    setPath (url, given) {
      if (typeof url.path === 'string') return
      url.path = []
      const text = without(given)
      let kept = ''
      for (let at = 0; at < text.length; at++) kept += text[at] === '?' ? '%3F' : text[at] === '#' ? '%23' : text[at]
      takePath(url, kept)
      if (url.path.length === 0 && kept === '' && isSpecial(url.scheme)) kit.push(url.path, '')
    },
    setQuery (url, given) {
      const text = without(given)
      url.query = given === '' ? null : queryOf(url, text[0] === '?' ? kit.slice(text, 1) : text)
    },
    setFragment (url, given) {
      const text = without(given)
      url.fragment = given === '' ? null : encoded(text[0] === '#' ? kit.slice(text, 1) : text, FRAGMENT)
    }
  })
})
