// Asks for a date that is too far ahead, and settles for the furthest that is allowed.
module.exports = async function variation (options) {
  const email = options.integration('webhook')
  const payload = { template: 'trial-ends', visitor: options.meta.visitorId }
  const key = { campaign: 'trial-ends' }

  await email.schedule(payload, { key, delay: '45 days' })
    .catch(function (err) {
      // err.code is stable, err.message is for people
      if (err.code !== 'beyond_limit') throw err
      options.log.warn('45 days is too far ahead, so it will be 30')
      return email.schedule(payload, { key, delay: '30 days' })
    })
}
