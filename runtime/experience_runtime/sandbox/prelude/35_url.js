// URL and URLSearchParams, as browsers have them.
(function (kit) {
  'use strict'
  const kept = new WeakMap()
  const get = kit.method(WeakMap.prototype.get)
  const set = kit.method(WeakMap.prototype.set)
  const iterator = Symbol.iterator
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
  const own = (self, kind) => {
    const found = isObject(self) ? get(kept, self) : undefined
    if (found === undefined || found.kind !== kind) throw new kit.TypeError('Illegal invocation')
    return found
  }
  const fromCharCode = String.fromCharCode
  const address = kit.address

  // The pairs of a text such as a=1&b=2.
  function read (text) {
    const pairs = []
    let from = 0
    for (let at = 0; at <= text.length; at++) {
      if (at < text.length && text[at] !== '&') continue
      const part = kit.slice(text, from, at)
      from = at + 1
      if (part === '') continue
      const equals = kit.indexOf(part, '=')
      kit.push(pairs, pair(plain(equals < 0 ? part : kit.slice(part, 0, equals)), equals < 0 ? '' : plain(kit.slice(part, equals + 1))))
    }
    return pairs
  }

  const pair = (name, value) => ({ __proto__: null, name: name, value: value })

  function plain (text) {
    let spaced = ''
    for (let at = 0; at < text.length; at++) spaced += text[at] === '+' ? ' ' : text[at]
    return kit.wellFormed(address.decoded(spaced))
  }

  function written (text) {
    if (kit.matches(/^[\w*\-.]*$/, text)) return text
    const bytes = kit.utf8.bytes(text)
    let said = ''
    for (let at = 0; at < bytes.length; at++) {
      const char = fromCharCode(bytes[at])
      said += char === ' ' ? '+' : kit.matches(/[\w*\-.]/, char) ? char : '%' + kit.upper(kit.slice(kit.numberText(bytes[at] + 256, 16), 1))
    }
    return said
  }

  function textOf (pairs) {
    let text = ''
    for (let at = 0; at < pairs.length; at++) text += (at === 0 ? '' : '&') + written(pairs[at].name) + '=' + written(pairs[at].value)
    return text
  }

  const word = (value) => kit.wellFormed(kit.String(value))
  const need = (given, count, name) => {
    if (given < count) throw new kit.TypeError(name + ' needs ' + count + (count === 1 ? ' argument' : ' arguments'))
  }

  function given (init) {
    if (!isObject(init)) {
      const text = word(init)
      return read(text[0] === '?' ? kit.slice(text, 1) : text)
    }
    const pairs = []
    const iterate = init[iterator]
    if (iterate === undefined || iterate === null) {
      const names = kit.keys(init)
      for (let at = 0; at < names.length; at++) kit.push(pairs, pair(word(names[at]), word(init[names[at]])))
      return pairs
    }
    for (const each of init) {
      const two = isObject(each) ? [...each] : []
      if (two.length !== 2) throw new kit.TypeError('URLSearchParams takes pairs of a name and a value')
      kit.push(pairs, pair(word(two[0]), word(two[1])))
    }
    return pairs
  }

  function changed (params) {
    if (params.url === null) return
    const text = textOf(params.pairs)
    params.url.query = text === '' ? null : text
  }

  function * entries (params, told) {
    for (let at = 0; at < params.pairs.length; at++) yield told(params.pairs[at])
  }

  class URLSearchParams {
    constructor (init) {
      set(kept, this, { __proto__: null, kind: 'params', pairs: init === undefined ? [] : given(init), url: null })
    }

    get size () { return own(this, 'params').pairs.length }

    append (name, value) {
      const params = own(this, 'params')
      need(arguments.length, 2, 'append')
      kit.push(params.pairs, pair(word(name), word(value)))
      changed(params)
    }

    delete (name, value) {
      const params = own(this, 'params')
      need(arguments.length, 1, 'delete')
      const wanted = word(name)
      const only = value === undefined ? null : word(value)
      keep(params, (each) => each.name !== wanted || (only !== null && each.value !== only))
    }

    get (name) {
      const found = first(own(this, 'params'), name, arguments.length)
      return found === null ? null : found.value
    }

    getAll (name) {
      const pairs = own(this, 'params').pairs
      need(arguments.length, 1, 'getAll')
      const wanted = word(name)
      const found = []
      for (let at = 0; at < pairs.length; at++) if (pairs[at].name === wanted) kit.push(found, pairs[at].value)
      return found
    }

    has (name, value) {
      const pairs = own(this, 'params').pairs
      need(arguments.length, 1, 'has')
      const wanted = word(name)
      const only = value === undefined ? null : word(value)
      for (let at = 0; at < pairs.length; at++) if (pairs[at].name === wanted && (only === null || pairs[at].value === only)) return true
      return false
    }

    set (name, value) {
      const params = own(this, 'params')
      need(arguments.length, 2, 'set')
      const found = first(params, name, 1)
      if (found === null) {
        kit.push(params.pairs, pair(word(name), word(value)))
      } else {
        found.value = word(value)
        keep(params, (each) => each === found || each.name !== found.name)
      }
      changed(params)
    }

    sort () {
      const params = own(this, 'params')
      params.pairs = sorted(params.pairs)
      changed(params)
    }

    forEach (visit, self) {
      const params = own(this, 'params')
      if (typeof visit !== 'function') throw new kit.TypeError('forEach needs a function')
      for (let at = 0; at < params.pairs.length; at++) kit.apply(visit, self, [params.pairs[at].value, params.pairs[at].name, this])
    }

    entries () { return entries(own(this, 'params'), (each) => [each.name, each.value]) }
    keys () { return entries(own(this, 'params'), (each) => each.name) }
    values () { return entries(own(this, 'params'), (each) => each.value) }
    toString () { return textOf(own(this, 'params').pairs) }
    get [Symbol.toStringTag] () { return 'URLSearchParams' }
  }
  kit.hidden(URLSearchParams.prototype, iterator, URLSearchParams.prototype.entries)

  function first (params, name, count) {
    need(count, 1, 'get')
    const wanted = word(name)
    for (let at = 0; at < params.pairs.length; at++) if (params.pairs[at].name === wanted) return params.pairs[at]
    return null
  }

  function keep (params, stays) {
    const left = []
    for (let at = 0; at < params.pairs.length; at++) if (stays(params.pairs[at])) kit.push(left, params.pairs[at])
    params.pairs = left
    changed(params)
  }

  // By name, those of one name in their order: merged from halves.
  function sorted (pairs) {
    if (pairs.length < 2) return pairs
    const halves = [[], []]
    for (let at = 0; at < pairs.length; at++) kit.push(halves[at * 2 < pairs.length ? 0 : 1], pairs[at])
    const left = sorted(halves[0])
    const right = sorted(halves[1])
    const all = []
    let taken = 0
    for (let at = 0; at < left.length; at++) {
      while (taken < right.length && right[taken].name < left[at].name) kit.push(all, right[taken++])
      kit.push(all, left[at])
    }
    while (taken < right.length) kit.push(all, right[taken++])
    return all
  }

  function parsed (text, base) {
    const under = base === undefined ? null : address.parse(word(base), null)
    return base !== undefined && under === null ? null : address.parse(word(text), under)
  }

  class URL {
    constructor (text, base) {
      need(arguments.length, 1, 'URL')
      const url = parsed(text, base)
      if (url === null) {
        const error = new kit.TypeError('Invalid URL: ' + kit.quote(kit.slice(word(text), 0, 200)) + ' is no whole address' +
          (base === undefined ? '; write it with its scheme, such as https://' : ''))
        kit.hidden(error, 'code', 'ERR_INVALID_URL')
        throw error
      }
      make(this, url)
    }

    static canParse (text, base) {
      need(arguments.length, 1, 'canParse')
      return parsed(text, base) !== null
    }

    get href () { return address.text(own(this, 'url').url) }
    set href (text) {
      const self = own(this, 'url')
      const url = parsed(text)
      if (url === null) throw new kit.TypeError('Invalid URL: ' + kit.quote(kit.slice(word(text), 0, 200)))
      self.url = url
      const params = get(kept, self.params)
      params.url = url
      refill(self)
    }

    get origin () {
      const url = own(this, 'url').url
      if (url.scheme === 'blob' && typeof url.path === 'string') {
        const inner = address.parse(url.path, null)
        return inner !== null && (inner.scheme === 'http' || inner.scheme === 'https') ? inner.scheme + '://' + address.hostText(inner) : 'null'
      }
      return kit.matches(/^(https?|wss?|ftp)$/, url.scheme) ? url.scheme + '://' + address.hostText(url) : 'null'
    }

    get protocol () { return own(this, 'url').url.scheme + ':' }
    set protocol (text) { address.setScheme(own(this, 'url').url, word(text)) }
    get username () { return own(this, 'url').url.username }
    set username (text) { address.setUser(own(this, 'url').url, 'username', word(text)) }
    get password () { return own(this, 'url').url.password }
    set password (text) { address.setUser(own(this, 'url').url, 'password', word(text)) }
    get host () { return address.hostText(own(this, 'url').url) }
    set host (text) { address.setHost(own(this, 'url').url, word(text), true) }
    get hostname () {
      const name = own(this, 'url').url.host
      return name === null ? '' : name
    }

    set hostname (text) { address.setHost(own(this, 'url').url, word(text), false) }
    get port () { return own(this, 'url').url.port }
    set port (text) { address.setPort(own(this, 'url').url, word(text)) }
    get pathname () { return address.pathText(own(this, 'url').url) }
    set pathname (text) { address.setPath(own(this, 'url').url, word(text)) }
    get search () {
      const query = own(this, 'url').url.query
      return query === null || query === '' ? '' : '?' + query
    }

    set search (text) {
      const self = own(this, 'url')
      address.setQuery(self.url, word(text))
      refill(self)
    }

    get searchParams () { return own(this, 'url').params }
    get hash () {
      const fragment = own(this, 'url').url.fragment
      return fragment === null || fragment === '' ? '' : '#' + fragment
    }

    set hash (text) { address.setFragment(own(this, 'url').url, word(text)) }
    toString () { return address.text(own(this, 'url').url) }
    toJSON () { return address.text(own(this, 'url').url) }
    get [Symbol.toStringTag] () { return 'URL' }
  }

  function make (self, url) {
    const params = new URLSearchParams()
    const made = { __proto__: null, kind: 'url', url: url, params: params }
    set(kept, self, made)
    get(kept, params).url = url
    refill(made)
  }

  function refill (self) {
    get(kept, self.params).pairs = self.url.query === null ? [] : read(self.url.query)
  }

  kit.hidden(kit.global, 'URL', URL)
  kit.hidden(kit.global, 'URLSearchParams', URLSearchParams)
})
