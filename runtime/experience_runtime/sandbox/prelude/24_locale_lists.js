// 'A, B and C': Intl.ListFormat.
(function (kit) {
  'use strict'
  const { letter, shown, asObject, refuseOthers, own, part, locale } = kit.texts
  const TYPES = kit.record({ conjunction: 'conjunction', disjunction: 'disjunction', unit: 'unit' })
  const STYLES = kit.record({ long: 'long', short: 'short', narrow: 'narrow' })
  const ROW = kit.record({ conjunction: 0, disjunction: 3, unit: 6, long: 0, short: 1, narrow: 2 })
  const OTHERS = kit.record({ localeMatcher: undefined })
  const iterator = Symbol.iterator
  const BEFORE_I = /^(i|hi(?!a|e))/i // Spanish: 'e hijos', and 'y hielo'
  const BEFORE_O = /^(ho|o|8|11$|11 )/i // 'u ocho', 'u 11'

  const formats = part('ListFormat', (locales, given) => {
    const options = asObject(given)
    refuseOthers(options, OTHERS)
    const name = locale(locales)
    const type = letter(options, 'type', TYPES) || 'conjunction'
    const style = letter(options, 'style', STYLES) || 'long'
    return kit.record({ locale: name, type: type, style: style })
  }, true)

  function between (format, row, next) {
    if (format.locale === 'es-ES' || format.locale === 'es-MX') {
      if (row === ' y ' && kit.matches(BEFORE_I, next)) return ' e '
      if (row === ' o ' && kit.matches(BEFORE_O, next)) return ' u '
    }
    return row
  }

  // tell(type, text) each part of a list in its order
  function eachPart (format, given, tell) {
    const items = []
    const next = given === undefined ? [] : given
    if (typeof next !== 'string' && (typeof next !== 'object' || next === null || typeof next[iterator] !== 'function')) {
      throw new kit.TypeError('a list of texts is needed, not ' + shown(given))
    }
    for (const item of next) {
      if (typeof item !== 'string') throw new kit.TypeError('a list holds texts, not ' + shown(item))
      kit.push(items, item)
    }
    const all = kit.words('list', format.locale)
    let row = ROW[format.type] + ROW[format.style]
    while (all[row] === null) row--
    let literal = ''
    for (let at = 0; at < items.length; at++) {
      if (at > 0) {
        const place = items.length === 2 ? 0 : at === items.length - 1 ? 3 : at === 1 ? 1 : 2
        literal += between(format, all[row][place], items[at])
      }
      if (items[at] === '') continue // what stands around nothing is one text
      if (literal !== '') tell('literal', literal)
      literal = ''
      tell('element', items[at])
    }
    if (literal !== '') tell('literal', literal)
  }

  kit.hidden(formats, 'format', function format (list) {
    let text = ''
    eachPart(own(this, 'ListFormat'), list, (type, part) => { text += part })
    return text
  })
  kit.hidden(formats, 'formatToParts', function formatToParts (list) {
    const parts = []
    eachPart(own(this, 'ListFormat'), list, (type, value) => kit.push(parts, { type: type, value: value }))
    return parts
  })
  kit.hidden(formats, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'ListFormat')
    return { locale: format.locale, type: format.type, style: format.style }
  })
})
