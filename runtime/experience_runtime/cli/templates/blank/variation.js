// Runs for a visitor who is in this variation.
/** @param {ExperienceOptions} options */
module.exports = function variation (options) {
  const slack = options.integration('slack-update')

  return slack.schedule({ message: `Hello ${options.meta.visitorId}` }, {
    key: { experience: '@NAME@' }, // used again, it replaces
    delay: '1 hour'
  })
}
