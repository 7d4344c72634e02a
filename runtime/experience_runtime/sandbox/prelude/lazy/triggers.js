// Triggers: ask whether the variation runs. The outcome table is contract 1.
(function (kit) {
  'use strict'
  const isYes = (value) => value === undefined || !!value

  // decide(verdict) is called once, with true or false; or fail(thrown)
  return function runTriggers (triggers, options, decide, fail, keepHooks) {
    let decided = false
    const settle = (verdict) => {
      if (decided) return
      decided = true
      decide(verdict)
    }
    const refuse = (thrown) => {
      if (decided) return
      decided = true
      fail(thrown)
    }
    let answered = null
    const callback = function callback (value) { if (answered === null) answered = { __proto__: null, yes: isYes(value) } ; if (returned) settle(answered.yes) }
    let returned = false
    let result
    try {
      result = parameters(triggers) === 1
        ? kit.apply(triggers, undefined, [carrying(callback, options)])
        : kit.apply(triggers, undefined, [options, callback])
    } catch (thrown) {
      refuse(thrown)
      return
    }
    returned = true
    if (result === true || result === false) return settle(result)
    if (typeof result === 'object' && result !== null) {
      const then = result.then
      if (typeof then === 'function') return follow(result, settle, refuse)
      keepHooks(result)
    }
    if (answered !== null) settle(answered.yes)
  }

  async function follow (promise, settle, refuse) {
    let value
    try {
      value = await promise
    } catch (thrown) {
      return refuse(thrown)
    }
    const isObject = typeof value === 'object' && value !== null
    settle(isObject && value.execute !== undefined ? !!value.execute : isYes(value))
  }

  function carrying (callback, options) {
    const names = kit.keys(options)
    for (let index = 0; index < names.length; index++) kit.define(callback, names[index], kit.descriptor(options, names[index]))
    return callback
  }

  // Declared parameters: a default value does not lower the count, as `length` would.
  function parameters (fn) {
    if (fn.length > 1) return fn.length
    const source = kit.sourceOf(fn)
    let at = 0
    const open = kit.indexOf(source, '(')
    const arrow = kit.indexOf(source, '=>')
    if (open < 0 || (arrow >= 0 && arrow < open)) return 1 // x => …
    at = open + 1
    let depth = 0
    let count = 0
    let inside = false
    for (; at < source.length; at++) {
      const mark = source[at]
      if (mark === '\'' || mark === '"' || mark === '`') {
        const quoteMark = mark
        for (at++; at < source.length && source[at] !== quoteMark; at++) if (source[at] === '\\') at++
        inside = true
      } else if (mark === '/' && source[at + 1] === '*') {
        at = kit.indexOf(source, '*/', at) + 1
      } else if (mark === '/' && source[at + 1] === '/') {
        at = kit.indexOf(source, '\n', at)
      } else if (mark === '(' || mark === '[' || mark === '{') {
        depth++
        inside = true
      } else if (mark === ')' && depth === 0) {
        return inside ? count + 1 : count
      } else if (mark === ')' || mark === ']' || mark === '}') {
        depth--
      } else if (mark === ',' && depth === 0) {
        count++
        inside = false
      } else if (mark !== ' ' && mark !== '\n' && mark !== '\t' && mark !== '\r') {
        inside = true
      }
    }
    return fn.length
  }
})
