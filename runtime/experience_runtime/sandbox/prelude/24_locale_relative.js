// 'in 3 days', 'yesterday': Intl.RelativeTimeFormat.
(function (kit) {
  'use strict'
  const { letter, refuse, shown, asObject, refuseOthers, own, part, locale, numberFormat, writtenOf, eachNumberPart, place, category } = kit.texts
  const STYLES = kit.record({ long: 'long', short: 'short', narrow: 'narrow' })
  const ROW = kit.record({ long: 0, short: 1, narrow: 2 })
  const NUMERIC = kit.record({ always: 'always', auto: 'auto' })
  const OTHERS = kit.record({ localeMatcher: undefined, numberingSystem: 'latn' })
  const UNITS = kit.record({})
  for (const name of ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']) UNITS[name] = UNITS[name + 's'] = name

  function relativeFormat (locales, given) {
    const options = asObject(given)
    refuseOthers(options, OTHERS)
    const name = locale(locales)
    return kit.record({
      locale: name,
      style: letter(options, 'style', STYLES) || 'long',
      numeric: letter(options, 'numeric', NUMERIC) || 'always',
      numbers: numberFormat(name, undefined)
    })
  }

  // -> {template, number} or {text}: what stands for so many units
  function relative (format, given, unit) {
    const number = kit.Number(given)
    const name = typeof unit === 'string' ? UNITS[unit] : undefined
    if (name === undefined) {
      refuse('the unit ' + shown(unit) + ' is not supported; write "second", "minute", "hour", "day", "week", "month", "quarter" or "year"')
    }
    if (!kit.isFinite(number)) refuse(number + ' is no number of units; look whether the number is there before you format it')
    const rows = kit.words('relative', format.locale)[name]
    let at = ROW[format.style]
    while (rows[at] === null) at--
    const isPast = number < 0 || 1 / number === -Infinity
    if (format.numeric === 'auto') {
      const word = kit.descriptor(rows[at][2], kit.String(number))
      if (word !== undefined) return kit.record({ unit: name, text: word.value })
    }
    const written = writtenOf(format.numbers, number < 0 ? -number : number)
    const forms = rows[at][isPast ? 1 : 0]
    return kit.record({ unit: name, template: kit.formOf(forms, category(format.locale, written.integer, written.fraction)), number: isPast ? -number : number })
  }

  const formats = part('RelativeTimeFormat', relativeFormat, true)
  kit.hidden(formats, 'format', function format (value, unit) {
    const format = own(this, 'RelativeTimeFormat')
    const found = relative(format, value, unit)
    if (found.text !== undefined) return found.text
    let text = ''
    eachNumberPart(format.numbers, found.number, (type, part) => { text += part })
    return place(found.template, text)
  })
  kit.hidden(formats, 'formatToParts', function formatToParts (value, unit) {
    const format = own(this, 'RelativeTimeFormat')
    const found = relative(format, value, unit)
    if (found.text !== undefined) return [{ type: 'literal', value: found.text }]
    const parts = []
    const at = kit.indexOf(found.template, '{}')
    if (at > 0) kit.push(parts, { type: 'literal', value: kit.slice(found.template, 0, at) })
    eachNumberPart(format.numbers, found.number, (type, part) => kit.push(parts, { type: type, value: part, unit: found.unit }))
    if (at + 2 < found.template.length) kit.push(parts, { type: 'literal', value: kit.slice(found.template, at + 2) })
    return parts
  })
  kit.hidden(formats, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'RelativeTimeFormat')
    return { locale: format.locale, style: format.style, numeric: format.numeric, numberingSystem: 'latn' }
  })
})
