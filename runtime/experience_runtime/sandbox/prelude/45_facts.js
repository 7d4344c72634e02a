// Facts of the visitor and the browser: what nobody told is undefined, and the log says so once for each.
(function (kit) {
  'use strict'
  const told = kit.create(null)
  const VISITOR = ['area', 'areaCode', 'city', 'cityCode', 'country', 'countryCode', 'region', 'regionCode', 'latitude',
    'longitude', 'ipAddress', 'conversionNumber', 'conversionCycleNumber', 'lifetimeValue', 'firstConversionTs',
    'lastConversionTs', 'entranceNumber', 'entranceTs', 'entranceViewNumber', 'sessionNumber', 'sessionTs',
    'sessionViewNumber', 'viewNumber', 'viewTs', 'firstViewTs', 'lastViewTs', 'pageViewNumber', 'eventNumber', 'sample',
    'cookiePersists', 'timezoneOffset', 'visitorId']
  const BROWSER = ['url', 'referrer', 'language']
  const AGENT = ['deviceType', 'browserName', 'browserVersion', 'osName', 'userAgent']
  const SCREEN = ['width', 'height']

  function place (object, name, value) {
    kit.define(object, name, { __proto__: null, value: value, writable: true, enumerable: true, configurable: true })
  }

  // Reading one of these names, where it is not known, is logged; what an author puts there stays.
  function watch (role, facts, names, where, field) {
    for (let index = 0; index < names.length; index++) {
      const name = names[index]
      if (kit.descriptor(facts, name) !== undefined) continue
      kit.define(facts, name, {
        __proto__: null,
        get: function () {
          const path = where + name
          if (told[path] === undefined) {
            told[path] = true
            kit.writeLog(role, 'warn', path + ' is not known: nobody told it, so it is undefined; ' + field, 'null')
          }
        },
        set: function (value) { place(facts, name, value) },
        enumerable: false,
        configurable: true
      })
    }
    return facts
  }

  // -> an object of this name in the facts, empty and unseen where there is none
  function part (facts, name) {
    const there = kit.descriptor(facts, name)
    if (there === undefined) kit.define(facts, name, { __proto__: null, value: {}, writable: true, enumerable: false, configurable: true })
    const value = facts[name]
    return typeof value === 'object' && value !== null ? value : {}
  }

  kit.visitorFacts = (role, facts) => watch(role, facts, VISITOR, 'getVisitorState().',
    'give it as state: of the run, with --state, or in a story')

  kit.browserFacts = function (role, facts) {
    const field = 'the script on the page tells it; else give it as browser: of the run, with --browser, or in a story'
    watch(role, facts, BROWSER, 'getBrowserState().', field)
    watch(role, part(facts, 'ua'), AGENT, 'getBrowserState().ua.', field)
    watch(role, part(facts, 'screen'), SCREEN, 'getBrowserState().screen.', field)
    return facts
  }
})
