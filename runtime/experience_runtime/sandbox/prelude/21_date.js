// Date in the visitor's zone. The engine's own Date runs in UTC here; local time is worked out from a table of the
// zone's offsets, which the host gives as minutes: [offset, change, offset, change, offset, …].
// A local time that a change skips or repeats is read with the offset before the change, as browsers do.
(function (kit) {
  'use strict'
  const RealDate = kit.Date
  const proto = RealDate.prototype
  const getTime = kit.method(proto.getTime)
  const setTime = kit.method(proto.setTime)
  const realParse = RealDate.parse
  const realUTC = RealDate.UTC
  const MINUTE = 60000
  const DAY = 86400000

  // milliseconds ahead of UTC at an instant
  function offsetAt (time) {
    const minutes = time / MINUTE
    const rules = kit.zoneRules(minutes)
    return offsetIn(rules.table, rules.first, minutes)
  }

  function offsetIn (table, first, minutes) {
    let low = 0
    let high = (table.length - first - 1) / 2
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (table[first + 2 * middle - 1] <= minutes) low = middle
      else high = middle - 1
    }
    return table[first + 2 * low] * MINUTE
  }

  function toUTC (local) {
    const before = offsetAt(local - DAY)
    const after = offsetAt(local + DAY)
    if (before === after || offsetAt(local - before) === before || offsetAt(local - after) !== after) return local - before
    return local - after
  }

  function local (date) {
    const time = getTime(date)
    return new RealDate(time + offsetAt(time))
  }

  function override (name, fn) {
    kit.define(fn, 'name', { __proto__: null, value: name, configurable: true })
    kit.hidden(proto, name, fn)
  }

  function overrideSetter (name, length, fn) {
    kit.define(fn, 'length', { __proto__: null, value: length, configurable: true })
    override(name, fn)
  }

  const utcGetters = kit.create(null)
  const NAMES = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds']
  for (let index = 0; index < NAMES.length; index++) {
    const name = NAMES[index]
    const read = proto['getUTC' + name]
    utcGetters[name] = kit.method(read)
    override('get' + name, function () { return kit.apply(read, local(this), []) })
    const write = proto['setUTC' + name]
    if (write === undefined) continue // there is no setDay
    // the engine's setters answer NaN for what is no number, and leave the date as it was: the answer counts
    overrideSetter('set' + name, write.length, function (...args) {
      return setTime(this, toUTC(kit.apply(write, local(this), args)))
    })
    overrideSetter('setUTC' + name, write.length, function (...args) {
      return setTime(this, kit.apply(write, new RealDate(getTime(this)), args))
    })
  }
  const setUTCFullYear = kit.method(proto.setUTCFullYear)
  override('getYear', function () { return utcGetters.FullYear(local(this)) - 1900 })
  override('setYear', function (year) {
    const before = local(this)
    const number = +year
    const whole = number - (number % 1)
    return setTime(this, toUTC(setUTCFullYear(before, whole >= 0 && whole <= 99 ? 1900 + whole : number)))
  })
  override('getTimezoneOffset', function () {
    const time = getTime(this)
    return time !== time ? NaN : -offsetAt(time) / MINUTE || 0
  })

  const DAYS = 'SunMonTueWedThuFriSat'
  const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
  const two = (number) => (number < 10 ? '0' : '') + number
  const four = (number) => number < 1000 ? kit.slice('000' + number, -4) : '' + number
  const year = (number) => number < 0 ? '-' + four(-number) : four(number)

  function dateText (shifted) {
    const day = utcGetters.Day(shifted) * 3
    const month = utcGetters.Month(shifted) * 3
    return kit.slice(DAYS, day, day + 3) + ' ' + kit.slice(MONTHS, month, month + 3) + ' ' +
      two(utcGetters.Date(shifted)) + ' ' + year(utcGetters.FullYear(shifted))
  }

  function timeText (shifted, offset) {
    const minutes = (offset < 0 ? -offset : offset) / MINUTE
    return two(utcGetters.Hours(shifted)) + ':' + two(utcGetters.Minutes(shifted)) + ':' + two(utcGetters.Seconds(shifted)) +
      ' GMT' + (offset < 0 ? '-' : '+') + two((minutes - minutes % 60) / 60) + two(minutes % 60) + ' (' + kit.zoneName + ')'
  }

  function spelled (name, spell) {
    override(name, function () {
      const time = getTime(this)
      if (time !== time) return 'Invalid Date'
      const offset = offsetAt(time)
      return spell(new RealDate(time + offset), offset)
    })
  }
  spelled('toString', (shifted, offset) => dateText(shifted) + ' ' + timeText(shifted, offset))
  spelled('toDateString', dateText)
  spelled('toTimeString', timeText)

  // A text without a zone is local time, but for a date alone, which is UTC.
  const ISO_LOCAL = /^([+-]\d{6}|\d{4})-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/
  const ISO_ANY = /^([+-]\d{6}|\d{4})(-\d\d){0,2}(T.*)?$/
  const NO_DAY = /^([+-]\d{6}|\d{4})-(00|\d\d-00)/ // the engine reads it as something else
  const HAS_ZONE = /(Z|GMT|UTC|[A-Z][SD]T|[+-]\d{1,2}:?\d\d)\s*(\([^)]*\))?\s*$/i

  function parse (text) {
    const written = `${text}`
    if (kit.matches(NO_DAY, written)) return NaN
    const isLocal = kit.matches(ISO_LOCAL, written)
    const space = isLocal ? kit.indexOf(written, ' ') : -1
    const normal = space < 0 ? written : kit.slice(written, 0, space) + 'T' + kit.slice(written, space + 1)
    const time = realParse(isLocal ? normal + 'Z' : written)
    if (isLocal) return toUTC(time)
    return kit.matches(ISO_ANY, written) || kit.matches(HAS_ZONE, written) ? time : toUTC(time)
  }

  function Date (...args) {
    if (new.target === undefined) return new Date().toString()
    let time = kit.now
    if (args.length === 1) {
      const given = args[0]
      if (typeof given === 'object' && given !== null && given instanceof RealDate) {
        time = getTime(given)
      } else {
        const primitive = typeof given === 'object' && given !== null ? kit.primitive(given) : given
        time = typeof primitive === 'string' ? parse(primitive) : +primitive
      }
    } else if (args.length > 1) {
      time = toUTC(kit.apply(realUTC, undefined, args))
    }
    return kit.construct(RealDate, [time], new.target)
  }
  kit.setPrototype(Date, kit.functionPrototype)
  kit.define(Date, 'prototype', { __proto__: null, value: proto, writable: false, enumerable: false, configurable: false })
  kit.define(Date, 'length', { __proto__: null, value: 7, configurable: true })
  kit.hidden(Date, 'now', function now () { return kit.now })
  kit.hidden(Date, 'parse', function (text) { return parse(text) })
  kit.hidden(Date, 'UTC', realUTC)
  kit.hidden(proto, 'constructor', Date)

  kit.LocalDate = Date
  // An instant as a date whose UTC fields are those of local time.
  kit.shifted = (time) => new RealDate(time + offsetAt(time))
  kit.shiftedTo = (time, zone) => new RealDate(time + offsetIn(zone, 1, time / MINUTE))
  kit.override = override
  kit.hidden(kit.global, 'Date', Date)
})
