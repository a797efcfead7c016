// Values of the chart from somebody else's knowledge of what is there.

export { readTerraformOutputs } from './terraform-outputs.ts'
export { valuesFromTerraform } from './values-from-terraform.ts'
