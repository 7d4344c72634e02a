// Cookies: a jar of the run, the same one for options.cookies and for require('cookieman').
(function (kit) {
  'use strict'
  const YEAR = 365 * 24 * 60 * 60 * 1000
  const jar = kit.create(null) // name -> {value, endsAt, domain, isOwn}

  // An instant in milliseconds; a Date, a number of them, or a text that Date.parse reads.
  function instant (expires) {
    if (typeof expires === 'number') return expires
    if (typeof expires === 'string') return kit.LocalDate.parse(expires)
    return typeof expires === 'object' && expires !== null ? kit.Number(new kit.LocalDate(expires).getTime()) : NaN
  }

  function at (name) {
    const cookie = jar[name]
    if (cookie !== undefined && cookie.endsAt <= kit.now) delete jar[name]
    return jar[name]
  }

  function set (name, value, settings, isOwn) {
    const key = kit.String(name)
    const given = typeof settings === 'object' && settings !== null ? settings : {}
    const endsAt = given.expires === undefined || given.expires === null ? (isOwn ? kit.now + YEAR : Infinity) : instant(given.expires)
    jar[key] = {
      __proto__: null,
      value: kit.String(value),
      endsAt: endsAt === endsAt ? endsAt : Infinity, // what is no instant lasts as long as the run
      domain: typeof given.domain === 'string' ? given.domain : '',
      isOwn: isOwn
    }
  }

  function val (name) {
    const cookie = at(kit.String(name))
    return cookie === undefined ? null : cookie.value
  }

  function clear (name) {
    const key = kit.String(name)
    const was = at(key) !== undefined
    delete jar[key]
    return was
  }

  // -> [{path, domain}] of what was cleared; without a name everything is
  function clearAll (name) {
    const cleared = []
    for (const each in jar) {
      if (name !== undefined && each !== kit.String(name)) continue
      const cookie = at(each)
      if (cookie !== undefined) kit.push(cleared, { path: '/', domain: cookie.domain })
      delete jar[each]
    }
    return cleared
  }

  function listed (name) {
    const found = []
    for (const each in jar) {
      if (name !== undefined && each !== name) continue
      const cookie = at(each)
      if (cookie !== undefined) kit.push(found, { name: each, value: cookie.value })
    }
    return found
  }

  function getAll () {
    const all = {}
    for (const each in jar) {
      const cookie = at(each)
      if (cookie === undefined || !cookie.isOwn) continue
      kit.define(all, each, { __proto__: null, value: cookie.value, writable: true, enumerable: true, configurable: true })
    }
    return all
  }

  // the page's cookies, by their names
  function fill (given) {
    const names = kit.keys(given)
    for (let index = 0; index < names.length; index++) set(names[index], given[names[index]], undefined, false)
  }

  kit.cookies = kit.record({
    fill: fill,
    options: {
      get: function get (name) { return val(name) },
      getAll: getAll,
      set: function (name, value, settings) { set(name, value, settings, true) },
      clear: clear,
      clearAll: clearAll
    },
    cookieman: {
      get: function get (name) { return listed(kit.String(name)) },
      val: val,
      set: function (name, value, settings) { set(name, value, settings, false) },
      cookies: function cookies () { return listed() },
      clear: clear,
      clearAll: clearAll
    }
  })
})
