#!/bin/bash

# Parameters
#SBATCH --account=lab
#SBATCH --array=0-5%3
#SBATCH --cpus-per-task=1
#SBATCH --error=FOLDER/runs/.sweeps/jobs-N/%A_%a/%A_%a_0_log.err
#SBATCH --job-name=zoo-bench
#SBATCH --mem=4G
#SBATCH --nodes=1
#SBATCH --open-mode=append
#SBATCH --output=FOLDER/runs/.sweeps/jobs-N/%A_%a/%A_%a_0_log.out
#SBATCH --partition=cpu
#SBATCH --signal=USR2@90
#SBATCH --time=120
#SBATCH --wckey=submitit

# setup
module load python

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output FOLDER/runs/.sweeps/jobs-N/%A_%a/%A_%a_%t_log.out --error FOLDER/runs/.sweeps/jobs-N/%A_%a/%A_%a_%t_log.err PYTHON -u -m submitit.core._submit FOLDER/runs/.sweeps/jobs-N/%j
