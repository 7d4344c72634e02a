// A thrown value in words. Reading it may run hostile code, so the phase tells whoever finds this run interrupted
// that the author's value was at fault. Each part is read by itself: one that cannot be read hides no other.
(function (kit) {
  'use strict'
  const UNREADABLE = 'a value that cannot be read'

  function attempt (read, otherwise) {
    try {
      return read()
    } catch (thrown) {
      return otherwise
    }
  }

  function describeError (found, thrown) {
    const stack = attempt(() => kit.stackOf(thrown), '') // the engine's own, whatever the author made of it
    if (typeof stack === 'string') found.stack = kit.slice(stack, 0, 8192)
    const name = attempt(() => thrown.name, 'Error')
    const message = attempt(() => thrown.message, '(its message cannot be read)')
    found.text = (typeof name === 'string' ? kit.slice(name, 0, 100) : 'Error') +
      (typeof message === 'string' && message !== '' ? ': ' + kit.slice(message, 0, 4096) : '')
    const code = attempt(() => thrown.code, '')
    if (typeof code === 'string') found.code = kit.slice(code, 0, 100)
  }

  kit.describe = function describe (thrown) {
    const before = kit.phase
    kit.phase = 'describing'
    const found = kit.record({ text: UNREADABLE, stack: '', code: '' })
    attempt(() => {
      if (typeof thrown === 'object' && thrown !== null) {
        if (kit.isError(thrown)) describeError(found, thrown)
        else {
          const text = kit.looseText(thrown)
          found.text = text === '"[unreadable]"' ? UNREADABLE : kit.slice(text, 0, 4096)
        }
      } else {
        found.text = typeof thrown === 'symbol' ? 'a Symbol' : kit.slice(kit.word(thrown), 0, 4096)
      }
    }, undefined)
    kit.phase = before
    return found
  }
})
