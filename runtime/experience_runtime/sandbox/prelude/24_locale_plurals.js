// Which form of a word goes with a number: Intl.PluralRules, and what Intl.NumberFormat and RelativeTimeFormat ask.
// The rules are CLDR's, by what of a number is written: i, its whole digits; v and f, its fraction's count and value.
(function (kit) {
  'use strict'
  const { letter, refuseOthers, asObject, own, part, numberFormat, writtenOf } = kit.texts

  const one = (n, i, v) => i === 1 && v === 0 ? 'one' : 'other'
  const millions = (i, tail, v) => v === 0 && i !== 0 && tail % 1000000 === 0
  const within = (number, from, to) => number >= from && number <= to
  const CARDINAL = kit.record({
    en: one, de: one, nl: one, sv: one, fi: one,
    nb: (n) => n === 1 ? 'one' : 'other',
    tr: (n) => n === 1 ? 'one' : 'other',
    da: (n, i, v, f) => n === 1 || (f !== 0 && (i === 0 || i === 1)) ? 'one' : 'other',
    es: (n, i, v, f, tail) => n === 1 ? 'one' : millions(i, tail, v) ? 'many' : 'other',
    it: (n, i, v, f, tail) => i === 1 && v === 0 ? 'one' : millions(i, tail, v) ? 'many' : 'other',
    fr: (n, i, v, f, tail) => i === 0 || i === 1 ? 'one' : millions(i, tail, v) ? 'many' : 'other',
    pl: (n, i, v, f, tail) => v !== 0 ? 'other' : i === 1 ? 'one' : within(tail % 10, 2, 4) && !within(tail % 100, 12, 14) ? 'few' : 'many',
    cs: (n, i, v) => v !== 0 ? 'many' : i === 1 ? 'one' : within(i, 2, 4) ? 'few' : 'other'
  })
  CARDINAL['pt-BR'] = CARDINAL.fr
  CARDINAL['pt-PT'] = CARDINAL.it
  const ORDINAL = kit.record({
    en: (n, i, v, f, tail) => {
      if (f !== 0 || within(tail % 100, 11, 13)) return 'other'
      return tail % 10 === 1 ? 'one' : tail % 10 === 2 ? 'two' : tail % 10 === 3 ? 'few' : 'other'
    },
    fr: (n) => n === 1 ? 'one' : 'other',
    it: (n) => n === 8 || n === 11 || n === 80 || n === 800 ? 'many' : 'other',
    sv: (n, i, v, f, tail) => f === 0 && within(tail % 10, 1, 2) && !within(tail % 100, 11, 12) ? 'one' : 'other'
  })
  const CATEGORIES = kit.record({
    cardinal: kit.record({ pl: 'one few many other', cs: 'one few many other', es: 'one many other', fr: 'one many other', it: 'one many other', pt: 'one many other', ja: 'other', zh: 'other', ko: 'other' }),
    ordinal: kit.record({ en: 'one two few other', fr: 'one other', it: 'many other', sv: 'one other' })
  })

  // The category of a number that is written with these digits; `rules` is CARDINAL or ORDINAL.
  function categoryBy (rules, locale, integer, fraction) {
    const rule = rules[locale] || rules[kit.slice(locale, 0, 2)]
    if (rule === undefined) return 'other'
    const whole = integer.length > 18 ? '0' : integer // as CLDR's own reader of the rules does
    return rule(kit.Number(integer + '.' + fraction), kit.Number(whole), fraction.length, kit.Number(fraction), kit.Number(kit.slice(whole, -9)))
  }
  kit.texts.category = (locale, integer, fraction) => categoryBy(CARDINAL, locale, integer, fraction)

  const TYPES = kit.record({ cardinal: 'cardinal', ordinal: 'ordinal' })
  const OTHERS = kit.record({ localeMatcher: undefined, style: undefined, currency: undefined, notation: 'standard' })
  const plurals = part('PluralRules', (locales, given) => {
    const options = asObject(given)
    refuseOthers(options, OTHERS)
    const format = numberFormat(locales, options)
    format.type = letter(options, 'type', TYPES) || 'cardinal'
    return format
  })
  kit.hidden(plurals, 'select', function select (number) {
    const format = own(this, 'PluralRules')
    const value = kit.Number(number)
    if (!kit.isFinite(value)) return 'other'
    const written = writtenOf(format, value)
    return categoryBy(format.type === 'ordinal' ? ORDINAL : CARDINAL, format.locale, written.integer, written.fraction)
  })
  kit.hidden(plurals, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'PluralRules')
    const categories = CATEGORIES[format.type][kit.slice(format.locale, 0, 2)] || (format.type === 'ordinal' ? 'other' : 'one other')
    const all = []
    let from = 0
    for (let at = 0; at <= categories.length; at++) {
      if (at < categories.length && categories[at] !== ' ') continue
      kit.push(all, kit.slice(categories, from, at))
      from = at + 1
    }
    return {
      locale: format.locale,
      type: format.type,
      minimumIntegerDigits: format.whole,
      minimumFractionDigits: format.least,
      maximumFractionDigits: format.most,
      pluralCategories: all
    }
  })
})
