// What the makers of the prelude's locale data share: the locales, and how a file of it is written.
'use strict'
const LOCALES = ('en-US en-GB en-AU en-CA de-DE de-AT de-CH fr-FR fr-CA es-ES es-MX it-IT nl-NL pt-BR pt-PT sv-SE da-DK nb-NO fi-FI ' +
  'pl-PL cs-CZ tr-TR ja-JP zh-CN ko-KR').split(' ')

// The engine keeps a text of small characters in one byte each, and one with a single other in two: where that is
// shorter, the others are escaped, for JSON to read.
function literal (text) {
  const escaped = text.replace(/[^\0-\xff]/g, letter => '\\u' + letter.charCodeAt(0).toString(16).padStart(4, '0'))
  const shorter = escaped.length < 2 * text.length ? escaped : text
  return "'" + shorter.replace(/\\/g, '\\\\').replace(/'/g, '\\u0027') + "'"
}

// {locale: value} -> lines: each value as JSON, or the name of a locale before it that has the same
function lines (values, indent) {
  const seen = new Map()
  return Object.entries(values).map(([locale, value]) => {
    const text = JSON.stringify(value)
    const said = seen.get(text) || text
    if (said === text) seen.set(text, locale)
    return `${indent}'${locale}': ${literal(said)}`
  }).join(',\n')
}

// -> a file of the prelude that puts {topic: {locale: value}} into the kit
function written (name, maker, about, topics) {
  const all = Object.entries(topics).map(([topic, values]) => `    ${topic}: kit.record({\n${lines(values, '      ')}\n    })`)
  return `// What \`Intl\` knows ${about}
// Written by tests/sandbox/${maker} from CLDR ${process.versions.cldr}.
(function (kit) {
  'use strict'
  kit.${name} = kit.record({
${all.join(',\n')}
  })
})
`
}

module.exports = { LOCALES, literal, written }
