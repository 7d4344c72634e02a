// Reminds a visitor of a basket they left behind. Whoever buys in the meantime hears nothing.
/** @param {ExperienceOptions} options */
module.exports = function variation (options) {
  const slack = options.integration('slack-update')
  const items = options.state.get('items')

  return slack.schedule({ message: `${options.meta.visitorId} left ${items} in the basket` }, {
    key: { campaign: '@NAME@' }, // one reminder a visitor: a later call replaces it
    delay: '1 day',
    window: { day: 'monday-friday', time: '09:00-12:00' }, // the visitor's own time
    cancelOnConversion: true
  }).then(function (execution) {
    options.log.info(`Reminder planned for ${execution.time}`)
  })
}
