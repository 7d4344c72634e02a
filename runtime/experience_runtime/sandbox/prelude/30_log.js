// The log: options.log, its children, and console are one stream of lines.
(function (kit) {
  'use strict'
  const LEVELS = kit.queue()
  LEVELS.put('trace')
  LEVELS.put('debug')
  LEVELS.put('info')
  LEVELS.put('warn')
  LEVELS.put('error')

  // metadata: JSON text
  kit.writeLog = function (logger, level, message, metadata) {
    kit.outLog('{"kind":"log","level":"' + level + '","logger":' + kit.quote(logger) +
      ',"at":' + kit.numberText(kit.now) + ',"message":' + kit.quote(message) + ',"metadata":' + metadata + '}')
  }

  kit.logThrown = function (logger, intro, thrown) {
    const found = kit.describe(thrown)
    kit.writeLog(logger, 'error', intro + found.text, found.stack === '' ? 'null' : '{"stack":' + kit.quote(found.stack) + '}')
  }

  function isPlain (value) {
    if (typeof value !== 'object' || value === null || kit.isArray(value)) return false
    const prototype = kit.prototypeOf(value)
    return prototype === null || prototype === kit.Object.prototype
  }

  function line (logger, level, args) {
    let count = args.length
    let metadata = 'null'
    const last = count > 0 ? args[count - 1] : undefined
    if (typeof last === 'object' && last !== null && kit.isError(last)) {
      const found = kit.describe(last)
      metadata = '{"stack":' + kit.quote(found.stack) + '}'
    } else if (count > 1 && isPlain(last)) {
      metadata = kit.looseText(last)
      count -= 1
    }
    let message = ''
    for (let index = 0; index < count; index++) message += (index === 0 ? '' : ' ') + kit.word(args[index])
    kit.writeLog(logger, level, kit.slice(message, 0, 16384), metadata)
  }

  const quiet = function () {} // whoever runs the experience decides what of the log is shown

  kit.logger = function (name) {
    const log = function log (child) { return kit.logger(name + ':' + kit.slice(kit.word(child), 0, 100)) }
    LEVELS.each((level) => {
      kit.hidden(log, level, function (...args) { line(name, level, args) })
    })
    kit.hidden(log, 'log', function (...args) { line(name, 'info', args) })
    kit.hidden(log, 'enable', quiet)
    kit.hidden(log, 'disable', quiet)
    kit.hidden(log, 'destroy', quiet)
    return log
  }

  // '%s has %d' takes what follows into its first text, as a browser's console does
  function filled (args) {
    const text = args[0]
    if (typeof text !== 'string' || args.length < 2 || kit.indexOf(text, '%') < 0) return args
    let next = 1
    let said = ''
    for (let at = 0; at < text.length; at++) {
      const mark = text[at] === '%' ? text[at + 1] : undefined
      const as = mark === undefined ? undefined : PLACES[mark]
      if (as === undefined && mark !== '%') said += text[at]
      else {
        said += mark === '%' ? '%' : next < args.length ? as(args[next]) : '%' + mark
        if (mark !== '%') next += 1
        at += 1
      }
    }
    const left = [said]
    for (; next < args.length; next++) kit.push(left, args[next])
    return left
  }
  const numeric = (value) => typeof value === 'object' || typeof value === 'symbol' ? NaN : kit.Number(value)
  const PLACES = kit.record({
    s: kit.word,
    d: (value) => kit.numberText(numeric(value)),
    i: (value) => kit.numberText(numeric(value) - numeric(value) % 1),
    f: (value) => kit.numberText(numeric(value)),
    o: kit.word,
    O: kit.word,
    j: kit.word,
    c: () => '' // a style
  })

  const console = {}
  LEVELS.each((level) => { console[level] = function (...args) { line('console', level, filled(args)) } })
  console.log = function (...args) { line('console', 'info', filled(args)) }

  // The rest of a browser's console: each is a line, and none ends an experience that left it in.
  const say = (level, text) => kit.writeLog('console', level, kit.slice(text, 0, 16384), 'null')
  const counts = kit.create(null)
  const started = kit.create(null)
  const labelOf = (label) => label === undefined ? 'default' : kit.word(label)
  const elapsed = (label) => {
    const name = labelOf(label)
    return name + ': ' + (started[name] === undefined ? 'no such timer' : kit.numberText(kit.now - started[name]) + ' ms')
  }
  console.group = console.groupCollapsed = function (...args) { if (args.length > 0) line('console', 'info', args) }
  console.dir = console.table = console.dirxml = function (value) { line('console', 'info', [value]) }
  console.assert = function (holds, ...args) {
    if (holds) return
    const said = ['Assertion failed' + (args.length > 0 ? ':' : '')]
    for (let index = 0; index < args.length; index++) kit.push(said, args[index])
    line('console', 'error', said)
  }
  console.count = function (label) {
    const name = labelOf(label)
    counts[name] = (counts[name] || 0) + 1
    say('info', name + ': ' + kit.numberText(counts[name]))
  }
  console.countReset = function (label) { counts[labelOf(label)] = 0 }
  console.time = function (label) { started[labelOf(label)] = kit.now }
  console.timeLog = function (label) { say('info', elapsed(label)) }
  console.timeEnd = function (label) {
    say('info', elapsed(label))
    delete started[labelOf(label)]
  }
  const names = ['groupEnd', 'clear', 'profile', 'profileEnd', 'timeStamp']
  for (let index = 0; index < names.length; index++) console[names[index]] = quiet
  kit.hidden(kit.global, 'console', console)
})
