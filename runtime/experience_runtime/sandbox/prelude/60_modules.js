// CommonJS: the author's files as modules. Each text arrives wrapped by the host, at lines of its own.
(function (kit) {
  'use strict'
  const texts = kit.create(null) // './utils' -> {kind: 'code' | 'json' | 'alias', text}
  const loaded = kit.create(null)

  kit.setModules = function (modules) {
    const names = kit.keys(modules)
    for (let index = 0; index < names.length; index++) texts[names[index]] = modules[names[index]]
  }

  // Compile every file before any runs: a syntax error anywhere stops the run at its start.
  kit.compileModules = function () {
    for (const name in texts) {
      if (texts[name].kind === 'code') texts[name].fn = kit.evaluate(texts[name].text)
    }
  }

  // Compile the global script as a function: enough to find what is wrong with it, and nothing runs.
  kit.compileGlobal = (text) => { if (text !== '') kit.evaluate('(function () {' + text + '\n})') }

  kit.load = function (asked) {
    const name = texts[asked].kind === 'alias' ? texts[asked].text : asked
    if (loaded[name] !== undefined) return loaded[name].exports
    const module = { exports: {} }
    loaded[name] = module
    try {
      if (texts[name].kind === 'json') module.exports = parsed(name)
      else kit.apply(texts[name].fn, module.exports, [module, module.exports, require])
    } catch (thrown) {
      delete loaded[name]
      throw thrown
    }
    return module.exports
  }

  function parsed (name) {
    try {
      return kit.parse(texts[name].text)
    } catch (thrown) {
      throw new kit.SyntaxError(name + ' is not JSON: ' + thrown.message)
    }
  }

  const isLocal = (name) => kit.slice(name, 0, 2) === './'

  const require = function require (name) {
    if (typeof name === 'string' && isLocal(name)) {
      if (texts[name] !== undefined) return kit.load(name)
      if (texts[name + '.json'] !== undefined) return kit.load(name + '.json')
      const bare = kit.slice(name, -3) === '.js' ? kit.slice(name, 0, -3) : name
      if (texts[bare] !== undefined && texts[bare].kind !== 'json') return kit.load(bare)
    }
    return kit.part('shims')(name, texts)
  }
})
