import { z } from 'zod';
import { apiUser } from './access.ts';
import { newBooking, usualWorkflow, workflow } from './bookings.ts';
import { registrationFields } from './hooks.ts';
import { role, userFieldDefinition, userFields } from './users.ts';

/** What there is at the start; nothing is sent for it. */
export const risrSeed = z.strictObject({
  organisation: z.string().min(1).default('org_demo'),
  apiUsers: z.array(apiUser).default([]),
  roles: z.array(role).default([
    { _id: 'role-trainee', name: 'Trainee' },
    { _id: 'role-trainer', name: 'Trainer' },
  ]),
  userFields: z.array(userFieldDefinition).default([
    { _id: 'uf-college-no', name: 'College number', fieldType: 'string', isRequired: false },
    { _id: 'uf-grade', name: 'Grade', fieldType: 'discrete', isRequired: false },
  ]),
  users: z.array(userFields.extend({ id: z.string().min(1) })).default([]),
  bookings: z.array(newBooking).default([]),
  workflow: workflow.prefault(usualWorkflow),
  registrations: z.array(registrationFields).default([]),
});
