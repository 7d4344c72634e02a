// Texts for people: dates and numbers as locales write them. What the data does not know is refused, never guessed.
// Source: reference/experiences#texts-for-people
(function (kit) {
  'use strict'
  const RealRangeError = RangeError
  const lower = kit.method(String.prototype.toLowerCase)
  const refuse = (text) => { throw new RealRangeError(text) }
  const shown = (value) => kit.quote(kit.slice(kit.word(value), 0, 100))

  // locales
  const known = kit.create(null) // 'en-gb' and 'en' -> the name in the data
  let names = ''
  for (const name in kit.locales) {
    known[lower(name)] = name
    const language = kit.slice(name, 0, 2)
    if (known[language] === undefined) known[language] = name
    names += (names === '' ? '' : ', ') + name
  }
  known.no = 'nb-NO'
  const parsed = kit.create(null)

  // what every date and number is written in anyway may be asked for: de-u-ca-gregory-nu-latn
  const AS_IT_IS = /^[a-z]{2}(-[a-z]{2})?-u(-ca-gregory|-nu-latn)+$/
  function nameOf (tag) {
    const written = lower(tag)
    return known[kit.matches(AS_IT_IS, written) ? kit.slice(written, 0, kit.indexOf(written, '-u-')) : written]
  }

  function locale (asked) {
    let tag = asked
    if (kit.isArray(asked)) {
      tag = asked[0]
      for (let index = 0; index < asked.length; index++) {
        if (typeof asked[index] === 'string' && nameOf(asked[index]) !== undefined) return nameOf(asked[index])
      }
    }
    if (tag === undefined) return 'en-US'
    const found = typeof tag === 'string' ? nameOf(tag) : undefined
    return found !== undefined ? found : refuse('the locale ' + shown(tag) + ' is not supported; write one of ' + names)
  }

  function dataOf (name) {
    if (parsed[name] === undefined) {
      const data = kit.record(kit.parse(kit.locales[name]))
      kit.record(data.d)
      kit.record(data.t)
      kit.record(data.g)
      kit.record(data.numbers.currencies)
      parsed[name] = data
    }
    return parsed[name]
  }

  // What a topic of the data says of a locale, which may be what it says of another.
  const read = kit.create(null)
  kit.words = function (topic, name) {
    const all = kit.localeWords[topic]
    let text = all[name]
    if (all[text] !== undefined) text = all[text]
    if (read[text] === undefined) read[text] = kit.parse(text)
    return read[text]
  }
  // The form of a word for numbers of a category; one text is that of every number.
  kit.formOf = function (forms, category) {
    if (typeof forms === 'string') return forms
    const found = kit.descriptor(forms, category)
    return found === undefined ? forms.other : found.value
  }

  // The name of a zone: undefined where a locale says the offset, null where nobody can tell; and since which year they are known.
  const zoneRows = kit.create(null)
  function rowOf (zone) {
    const all = kit.words('zones', 'all')
    if (zoneRows[zone] === undefined) {
      zoneRows[zone] = null
      for (const row in all.zones) {
        if (kit.indexOf(' ' + all.zones[row] + ' ', ' ' + zone + ' ') >= 0) zoneRows[zone] = all.rows[row] || null
      }
    }
    return zoneRows[zone]
  }
  kit.zoneNamedSince = function (zone) {
    const row = rowOf(zone)
    return row === null ? null : row[0]
  }
  const ownOf = (object, name) => {
    const found = object === undefined ? undefined : kit.descriptor(object, name)
    return found === undefined ? undefined : found.value
  }
  kit.nameOfZone = function (isLong, locale, zone, minutes) {
    const all = kit.words('zones', 'all')
    const row = rowOf(zone)
    const at = kit.String(minutes)
    if (!isLong) return ownOf(ownOf(all.short[row[1]], locale), at)
    const place = ownOf(all.long[row[2]], at)
    return place === undefined ? undefined : kit.words('zoneNames', locale)[place] || undefined
  }

  // options
  const asObject = (options) => options === undefined ? {} : typeof options === 'object' && options !== null ? options : refuse('options are an object, not ' + shown(options))

  // The letter of an option's value in the keys of the data.
  function letter (options, name, letters) {
    const value = options[name]
    if (value === undefined) return ''
    const found = typeof value === 'string' ? letters[value] : undefined
    if (found !== undefined) return found
    let may = ''
    for (const each in letters) may += (may === '' ? '' : ' or ') + kit.quote(each)
    return refuse(name + ' ' + shown(value) + ' is not supported; write ' + may)
  }

  // What is not known here: each may only have the value that changes nothing.
  function refuseOthers (options, others) {
    for (const name in others) {
      const value = options[name]
      if (value !== undefined && value !== others[name]) refuse(name + ' ' + shown(value) + ' is not supported; leave it out')
    }
  }

  // Intl
  const formats = new WeakMap()
  const formatOf = kit.method(WeakMap.prototype.get)
  const keep = kit.method(WeakMap.prototype.set)
  function own (self, name) {
    const found = typeof self === 'object' && self !== null ? formatOf(formats, self) : undefined
    if (found === undefined || found.kind !== name) throw new kit.TypeError('this is no Intl.' + name)
    return found
  }
  function supportedLocalesOf (asked) {
    const found = []
    const all = kit.isArray(asked) ? asked : asked === undefined ? [] : [asked]
    for (let index = 0; index < all.length; index++) {
      if (typeof all[index] === 'string' && nameOf(all[index]) !== undefined) kit.push(found, all[index])
    }
    return found
  }

  function getter (target, name, read) {
    kit.define(target, name, { __proto__: null, get: read, enumerable: false, configurable: true })
  }
  const Intl = {}
  kit.hidden(kit.global, 'Intl', Intl)

  // A part of Intl: `make` gives what an instance keeps, of its arguments; some need `new`.
  function part (name, make, needsNew) {
    const Part = kit.record({ [name]: function (locales, options) {
      if (new.target === undefined) {
        if (needsNew) throw new kit.TypeError('Intl.' + name + ' is made with new')
        return new Part(locales, options)
      }
      const format = make(locales, options)
      format.kind = name
      keep(formats, this, format)
    } })[name]
    kit.define(Part, 'length', { __proto__: null, value: 0, configurable: true })
    kit.hidden(Part, 'supportedLocalesOf', supportedLocalesOf)
    kit.hidden(Intl, name, Part)
    return Part.prototype
  }

  // Turkish and Azeri have an i with a dot and one without.
  const charAt = (text, at) => kit.slice(text, at, at + 1)
  function cased (self, asked, change, fit) {
    if (self === undefined || self === null) throw new kit.TypeError('there is no text to change the case of')
    const tag = kit.isArray(asked) ? asked[0] : asked
    if (tag !== undefined && typeof tag !== 'string') throw new kit.TypeError('a locale is a text, not ' + shown(tag))
    const language = tag === undefined ? 'en' : lower(kit.slice(tag, 0, 3))
    if (language === 'lt' || language === 'lt-') refuse('the locale ' + shown(tag) + ' is not supported here; leave it out')
    const isTurkic = language === 'tr' || language === 'tr-' || language === 'az' || language === 'az-'
    return change(isTurkic ? fit(kit.String(self)) : kit.String(self))
  }
  function dotted (text) {
    let written = ''
    for (let at = 0; at < text.length; at++) written += charAt(text, at) === 'i' ? '\u0130' : charAt(text, at)
    return written
  }
  function undotted (text) {
    let written = ''
    for (let at = 0; at < text.length; at++) {
      const letter = charAt(text, at)
      const isDotted = letter === 'I' && charAt(text, at + 1) === '\u0307'
      written += isDotted || letter === '\u0130' ? 'i' : letter === 'I' ? '\u0131' : letter
      if (isDotted) at++
    }
    return written
  }
  kit.hidden(String.prototype, 'toLocaleUpperCase', kit.record({ toLocaleUpperCase () {
    return cased(this, arguments[0], kit.upper, dotted)
  } }).toLocaleUpperCase)
  kit.hidden(String.prototype, 'toLocaleLowerCase', kit.record({ toLocaleLowerCase () {
    return cased(this, arguments[0], lower, undotted)
  } }).toLocaleLowerCase)

  kit.texts = kit.record({
    locale: locale, dataOf: dataOf, asObject: asObject, letter: letter, refuseOthers: refuseOthers, refuse: refuse, shown: shown,
    lower: lower, own: own, getter: getter, part: part
  })
})
