// Addresses: the URL standard's parser and serializer (url.spec.whatwg.org), for the classes of 35_url.js.
// A record is {scheme, username, password, host: text or null, port, path: list, or a text for one that is
// opaque, query: text or null, fragment: text or null}.
(function (kit) {
  'use strict'
  const { host, encoded, decoded, split, has, lower, parseInteger } = kit.hosts
  const PORTS = kit.record({ http: '80', https: '443', ws: '80', wss: '443', ftp: '21', file: '' })
  const isSpecial = (scheme) => PORTS[scheme] !== undefined
  const starts = (text, start) => kit.slice(text, 0, start.length) === start
  const lastIndexOf = kit.method(String.prototype.lastIndexOf)

  // What each part has written as %XX, beside controls and all that is not ASCII.
  const FRAGMENT = ' "<>`'
  const QUERY = ' "#<>'
  const PATH = QUERY + '?`{}'
  const USERINFO = PATH + '/:;=@[\\]^|'
  // -> the text before the first of these marks, and the rest with the mark
  function until (text, isMark) {
    for (let at = 0; at < text.length; at++) if (isMark(text[at])) return { __proto__: null, before: kit.slice(text, 0, at), rest: kit.slice(text, at) }
    return { __proto__: null, before: text, rest: '' }
  }

  const isDrive = (text) => kit.matches(/^[a-z][:|]$/i, text)
  const beginsWithDrive = (text) => kit.matches(/^[a-z][:|]([/\\?#]|$)/i, text)

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
