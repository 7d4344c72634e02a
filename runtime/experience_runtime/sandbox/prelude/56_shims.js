// What `require` knows besides the folder's own files: small stand-ins for the packages that experiences use.
(function (kit) {
  'use strict'
  const made = kit.create(null)
  const sync = () => kit.syncP
  const MAKERS = kit.record({
    '@qubit/poller': () => kit.poller.poller,
    '@qubit/remember-preview': () => function rememberPreview () {},
    '@qubit/send-uv-event': () => sendEvent,
    '@qubit/utils': () => kit.utils,
    '@qubit/utils/dom': () => kit.utils,
    cookieman: () => kit.cookies.cookieman,
    driftwood: driftwood,
    md5: () => kit.md5,
    slapdash: () => kit.slapdash,
    'sync-p': sync,
    'sync-p/all': () => sync().all,
    'sync-p/any': () => sync().any,
    'sync-p/defer': () => sync().defer,
    'sync-p/extra': sync,
    'sync-p/race': () => sync().race,
    'sync-p/reject': () => sync().reject,
    'sync-p/resolve': () => sync().resolve
  })
  const NEED_DOM = kit.record({ jquery: 1, '@qubit/jquery': 1, preact: 1, 'preact/hooks': 1, react: 1, 'react-dom': 1 })

  // Whoever runs the experience decides what of the log is shown.
  function driftwood () {
    const createLogger = function createLogger (name) { return kit.logger(kit.slice(kit.word(name), 0, 100)) }
    createLogger.enable = function enable () {}
    createLogger.disable = function disable () {}
    return createLogger
  }

  function sendEvent (action, meta, extra) {
    const known = typeof meta === 'object' && meta !== null ? meta : {}
    if (!known.experimentId || !known.variationMasterId) {
      throw new kit.Error('send-uv-event needs options.meta with experimentId and variationMasterId; ' +
        "package.json's meta says them: experienceId, and variations")
    }
    const data = {
      category: 'qubit-deliver',
      action: action,
      experimentId: known.experimentId,
      variationMasterId: known.variationMasterId
    }
    const names = typeof extra === 'object' && extra !== null ? kit.keys(extra) : []
    for (let index = 0; index < names.length; index++) {
      kit.define(data, names[index], {
        __proto__: null, value: extra[names[index]], writable: true, enumerable: true, configurable: true
      })
    }
    kit.events.uv.emit('qubit-deliver', data)
  }

  function unknown (name, files) {
    let local = ''
    for (const each in files) {
      if (kit.slice(each, 0, 2) === './') local += (local === '' ? '' : ', ') + kit.quote(each)
    }
    let packages = ''
    for (const each in MAKERS) {
      if (kit.slice(each, 0, 7) !== 'sync-p/' && each !== '@qubit/utils/dom') packages += (packages === '' ? '' : ', ') + kit.quote(each)
    }
    const error = new kit.Error('cannot find module ' + kit.word(name) +
      (NEED_DOM[name] === undefined ? '' : ', which needs a DOM, and there is none here') + '; this experience can require ' +
      (local === '' ? '' : local + ' and the packages ') + packages +
      (local === '' ? '; there is no utils.js or JSON file beside it' : ''))
    kit.hidden(error, 'code', 'module_not_found')
    return error
  }

  // `files` are the folder's own, for the error to name
  kit.shim = function shim (name, files) {
    if (typeof name !== 'string' || MAKERS[name] === undefined) throw unknown(typeof name === 'string' ? name : kit.word(name), files)
    if (made[name] === undefined) made[name] = MAKERS[name]()
    return made[name]
  }
})
